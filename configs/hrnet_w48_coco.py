# Published: AP 0.756 on COCO val2017 (mmpose, td-hm_hrnet-w48_8xb32-210e_coco-256x192), 8 x 32 persons a step.
_base_ = ['body_2d_keypoint/coco/td-hm_hrnet-w48_8xb32-210e_coco-256x192.py']

# Published: AP 0.749 on COCO val2017 (mmpose, td-hm_hrnet-w32_8xb64-210e_coco-256x192).
_base_ = ['body_2d_keypoint/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py']

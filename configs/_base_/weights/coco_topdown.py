# Published top-down models on COCO, from which others are trained further; by width and input (height x width).
folder = 'https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/'
coco_weights = dict(
    w32_256x192=folder + 'td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth',
    w32_384x288=folder + 'td-hm_hrnet-w32_8xb64-210e_coco-384x288-ca5956af_20220909.pth',
    w48_256x192=folder + 'td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth',
    w48_384x288=folder + 'td-hm_hrnet-w48_8xb32-210e_coco-384x288-c161b7de_20220915.pth')

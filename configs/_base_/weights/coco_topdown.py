# Published top-down models on COCO, from which others are trained further; by width and input (height x width).
coco_weights = dict(
    w32_256x192='hrnet://td-hm_hrnet-w32_8xb64-210e_coco-256x192',
    w32_384x288='hrnet://td-hm_hrnet-w32_8xb64-210e_coco-384x288',
    w48_256x192='hrnet://td-hm_hrnet-w48_8xb32-210e_coco-256x192',
    w48_384x288='hrnet://td-hm_hrnet-w48_8xb32-210e_coco-384x288')

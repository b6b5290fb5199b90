# Associative embedding: heatmaps at a quarter of the size and the positions of the keypoints in them; decoded at the
# size of the input.
codec = dict(
    type='hrnet_plugin.AssociativeEmbedding',
    input_size=(512, 512),
    heatmap_size=(128, 128),
    sigma=2,
    decode_topk=30,
    decode_center_shift=0.5,
    decode_keypoint_order=[0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16],
    decode_max_instances=30)
jitter = dict(type='BottomupRandomAffine', input_size=codec['input_size'])
resize = dict(type='BottomupResize', input_size=codec['input_size'], size_factor=64, resize_mode='expand')
encode = dict(type='GenerateTarget', encoder=codec)

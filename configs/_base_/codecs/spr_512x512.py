# DEKR's centres and offsets (structured pose representation).
codec = dict(
    type='SPR',
    input_size=(512, 512),
    heatmap_size=(128, 128),
    sigma=(4, 2),
    minimal_diagonal_length=32**0.5,
    generate_keypoint_heatmaps=True,
    decode_max_instances=30)
jitter = dict(type='BottomupRandomAffine', input_size=codec['input_size'])
resize = dict(type='BottomupResize', input_size=codec['input_size'], size_factor=32, resize_mode='expand')
encode = dict(type='GenerateTarget', encoder=codec)

# CID's heatmaps: one for everybody, one a person.
codec = dict(type='DecoupledHeatmap', input_size=(512, 512), heatmap_size=(128, 128))
jitter = dict(type='BottomupRandomAffine', input_size=codec['input_size'])
resize = dict(type='BottomupResize', input_size=codec['input_size'], size_factor=64, resize_mode='expand')
encode = dict(type='GenerateTarget', encoder=codec)

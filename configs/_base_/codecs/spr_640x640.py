_base_ = ['spr_512x512.py']

codec = dict(input_size=(640, 640), heatmap_size=(160, 160))
jitter = dict(input_size=codec['input_size'])
resize = dict(input_size=codec['input_size'])
encode = dict(encoder=codec)

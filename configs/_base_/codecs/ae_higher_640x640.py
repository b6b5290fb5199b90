_base_ = ['ae_higher_512x512.py']

codec = dict(input_size=(640, 640), heatmap_size=(160, 160))
jitter = dict(input_size=codec['input_size'])
resize = dict(input_size=codec['input_size'])
encode = dict(
    encoder=[
        dict(_base_.codec, input_size=codec['input_size'], heatmap_size=size)
        for size in (codec['heatmap_size'], (320, 320))
    ])

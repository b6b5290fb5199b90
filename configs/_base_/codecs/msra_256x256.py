_base_ = ['msra_256x192.py']

codec = dict(input_size=(256, 256), heatmap_size=(64, 64))
crop = dict(input_size=codec['input_size'])
encode = dict(encoder=codec)

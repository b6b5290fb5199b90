_base_ = ['msra_256x192.py']

codec = dict(input_size=(288, 384), heatmap_size=(72, 96), sigma=3)
crop = dict(input_size=codec['input_size'])
encode = dict(encoder=codec)

# Gaussian heatmaps (MSRA). Sizes in file names are height x width, in configs (width, height).
codec = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
crop = dict(type='TopdownAffine', input_size=codec['input_size'])
encode = dict(type='GenerateTarget', encoder=codec)

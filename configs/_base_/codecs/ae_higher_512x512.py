# HigherHRNet: a second set of heatmaps, at half the size of the input.
_base_ = ['ae_512x512.py']

encode = dict(encoder=[_base_.codec, dict(_base_.codec, heatmap_size=(256, 256))], multilevel=True)

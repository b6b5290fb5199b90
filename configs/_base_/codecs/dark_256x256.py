# Unbiased heatmaps (DARK): peaks are drawn and read at sub-cell positions.
_base_ = ['msra_256x256.py']

codec = dict(unbiased=True)
encode = dict(encoder=codec)

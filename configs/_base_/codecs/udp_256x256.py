# UDP's heatmaps on plain crops, as the published hand models were trained.
_base_ = ['msra_256x256.py']

codec = dict(type='UDPHeatmap')
encode = dict(encoder=codec)

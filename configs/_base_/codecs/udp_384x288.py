# Unbiased data processing (UDP): crops and heatmaps measured between the centres of the outermost pixels.
_base_ = ['msra_384x288.py']

codec = dict(type='UDPHeatmap')
crop = dict(use_udp=True)
encode = dict(encoder=codec)

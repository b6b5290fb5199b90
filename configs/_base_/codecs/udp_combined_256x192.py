# UDP with a classification map and two offset maps a keypoint.
_base_ = ['udp_256x192.py']

codec = dict(heatmap_type='combined')
encode = dict(encoder=codec)

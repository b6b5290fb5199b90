# HigherHRNet: tags and heatmaps at HRNet's highest resolution, heatmaps again at twice that.
_base_ = ['bottomup_ae.py']

model = dict(head=dict(type='hrnet_plugin.HigherHRNetHead'))

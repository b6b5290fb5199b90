# One resolution: heatmaps and tags from one convolution on HRNet's highest resolution.
_base_ = ['bottomup_ae.py']

model = dict(head=dict(type='hrnet_plugin.AssociativeEmbeddingHead', deconv_out_channels=None))

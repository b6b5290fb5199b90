# mmseg's FCN on all four branches, brought to one size and concatenated, with our backbone. A leaf adds the
# architecture, the head's widths and classes where they are not those of W18 on Cityscapes, and the crop size.
_base_ = ['mmseg::_base_/models/fcn_hr18.py']

model = dict(
    pretrained=None,
    backbone=dict(_delete_=True, type='hrnet_plugin.HRNet', norm_cfg=_base_.norm_cfg, upsample_mode='bilinear'))

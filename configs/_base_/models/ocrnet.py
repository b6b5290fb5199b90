# mmseg's OCRNet with our backbone: an FCN head finds the regions of the classes, the OCR head looks at their context.
_base_ = ['mmseg::_base_/models/ocrnet_hr18.py']

model = dict(
    pretrained=None,
    backbone=dict(_delete_=True, type='hrnet_plugin.HRNet', norm_cfg=_base_.norm_cfg, upsample_mode='bilinear'))

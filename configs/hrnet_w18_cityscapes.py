# Published: mIoU 78.80 on Cityscapes val (mmseg), 4 x 2 images a step.
_base_ = ['semantic_segmentation/cityscapes/fcn_hr18_4xb2-160k_cityscapes-512x1024.py']

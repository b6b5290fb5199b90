_base_ = ['mmseg::_base_/datasets/pascal_voc12_aug.py']
num_classes = 21

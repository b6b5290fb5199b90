_base_ = ['mmseg::_base_/datasets/ade20k.py']
num_classes = 150

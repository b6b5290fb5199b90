_base_ = ['mmseg::_base_/datasets/loveda.py']
num_classes = 7

_base_ = ['mmseg::_base_/datasets/isaid.py']
num_classes = 16

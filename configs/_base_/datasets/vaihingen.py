_base_ = ['mmseg::_base_/datasets/vaihingen.py']
num_classes = 6

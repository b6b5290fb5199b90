_base_ = ['mmseg::_base_/datasets/potsdam.py']
num_classes = 6

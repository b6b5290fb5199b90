_base_ = ['mmpretrain::_base_/schedules/imagenet_bs256_coslr.py']

auto_scale_lr = dict(base_batch_size=128)

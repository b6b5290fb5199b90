_base_ = ['cls.py']
width = 18
fuse, pool = _base_.model.neck

model = dict(
    backbone=dict(arch='w18'),
    neck=[dict(fuse, in_channels=(width, 2 * width, 4 * width, 8 * width)), pool])

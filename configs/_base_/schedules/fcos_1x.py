# Unlike the longer one it warms up at a constant rate.
_base_ = ['mmdet::_base_/schedules/schedule_1x.py', 'fcos_optimizer.py']

optim_wrapper = _base_.fcos_optim_wrapper
param_scheduler = [
    dict(type='ConstantLR', factor=1.0 / 3, by_epoch=False, begin=0, end=500),
    _base_.param_scheduler[1],
]

_base_ = ['mmdet::_base_/schedules/schedule_2x.py', 'fcos_optimizer.py']

optim_wrapper = _base_.fcos_optim_wrapper

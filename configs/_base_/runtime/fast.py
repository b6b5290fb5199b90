# What makes a training faster and changes none of its numbers but by rounding; `hrnet train --fast` is the same.
# Channels-last memory, the optimizer's update in one pass where torch has it, and cuDNN's choice of algorithms.
speed = dict(channels_last=True, fused_optimizer='auto', cudnn_benchmark=True)

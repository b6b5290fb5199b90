# What makes a training faster and changes none of its numbers but by rounding; `hrnet train --fast` is the same.
# Channels-last memory, the optimizer's update in one pass where torch has it, cuDNN's choice of algorithms, and on a CPU
# freed memory kept for the next step.
speed = dict(channels_last=True, fused_optimizer='auto', cudnn_benchmark=True, keep_memory=True)

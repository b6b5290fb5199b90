_base_ = ['coco_wholebody_hand_210e.py']

default_hooks = dict(logger=dict(interval=10))

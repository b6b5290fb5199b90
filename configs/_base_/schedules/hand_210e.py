_base_ = ['coco_210e.py']

default_hooks = dict(checkpoint=dict(save_best='AUC'))

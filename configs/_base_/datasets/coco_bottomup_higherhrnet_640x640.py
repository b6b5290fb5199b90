# HigherHRNet at 640x640: the pipelines of 512x512, with every size replaced.
_base_ = ['coco_bottomup_higherhrnet_512x512.py']

input_size = (640, 640)
codec = dict(input_size=input_size, heatmap_size=(160, 160))
encoders = [
    dict(_base_.codec, input_size=input_size, heatmap_size=(side, side)) for side in (160, 320)
]
train_pipeline = [
    dict(step, encoder=encoders) if step['type'] == 'GenerateTarget' else
    dict(step, input_size=input_size) if 'input_size' in step else step
    for step in _base_.train_pipeline
]
val_pipeline = [
    dict(step, input_size=input_size) if 'input_size' in step else step for step in _base_.val_pipeline
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader

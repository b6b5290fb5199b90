# HigherHRNet at 512x512: associative embedding with a second set of heatmaps at half the size of the input.
_base_ = ['coco_bottomup_ae_512x512.py']

encoders = [_base_.codec, dict(_base_.codec, heatmap_size=(256, 256))]
train_pipeline = [
    dict(step, encoder=encoders, multilevel=True) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

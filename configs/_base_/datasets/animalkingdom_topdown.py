# Animal Kingdom: 23 keypoints of any animal. A leaf names the part of the data that it trains and evaluates on.
_base_ = ['topdown.py']

num_keypoints = 23
data_root = 'data/ak/'

dataset = dict(
    type='AnimalKingdomDataset', data_root=data_root, data_prefix=dict(img='images/'))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(batch_size=24, dataset=dataset)
test_dataloader = val_dataloader

val_evaluator = [dict(type='PCKAccuracy', thr=0.05), dict(type='AUC')]
test_evaluator = val_evaluator

_base_ = ['bottomup.py', 'crowdpose_files.py']

train_dataloader = dict(dataset=_base_.train_set)
val_dataloader = dict(dataset=_base_.val_set)
test_dataloader = val_dataloader

# DeepFashion: landmarks of upper, lower or full-body clothes; a leaf names which.
_base_ = ['pck_topdown.py']

data_root = 'data/fld/'

dataset = dict(type='DeepFashionDataset', data_root=data_root, data_prefix=dict(img='img/'))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader

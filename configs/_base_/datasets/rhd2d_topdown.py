# RHD: hands painted by computer.
_base_ = ['pck_topdown.py']

num_keypoints = 21
data_root = 'data/rhd/'

dataset = dict(type='Rhd2DDataset', data_root=data_root, data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/rhd_train.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/rhd_test.json'))
test_dataloader = val_dataloader

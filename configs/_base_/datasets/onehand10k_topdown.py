# OneHand10K: hands in photographs.
_base_ = ['pck_topdown.py']

num_keypoints = 21
data_root = 'data/onehand10k/'

dataset = dict(type='OneHand10KDataset', data_root=data_root, data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/onehand10k_train.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/onehand10k_test.json'))
test_dataloader = val_dataloader

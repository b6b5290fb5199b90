# Where AI Challenger lies.
aic_root = 'data/aic/'
aic = dict(type='AicDataset', data_root=aic_root, data_mode='topdown')
aic_train_set = dict(
    **aic,
    ann_file='annotations/aic_train.json',
    data_prefix=dict(img='ai_challenger_keypoint_train_20170902/keypoint_train_images_20170902/'))

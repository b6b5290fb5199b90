# HRNet-W48 with the ImageNet weights that mmpose's estimators start from.
arch = 'w48'
width = 48
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth'

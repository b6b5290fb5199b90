# HRNet-W32 with the ImageNet weights that mmpose's estimators start from.
arch = 'w32'
width = 32
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth'

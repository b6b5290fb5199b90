# HRNet-W48 with the ImageNet weights that mmpose's estimators start from.
arch = 'w48'
width = 48
imagenet = 'hrnet://hrnet_w48_imagenet'

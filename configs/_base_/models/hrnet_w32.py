# HRNet-W32 with the ImageNet weights that mmpose's estimators start from.
arch = 'w32'
width = 32
imagenet = 'hrnet://hrnet_w32_imagenet'

_base_ = ['topdown_litehrnet_18.py']

model = dict(backbone=dict(arch='litehrnet_30'))

# Evaluated by the share of keypoints within 0.2 of the box's size, the area under that curve, and the mean distance.
_base_ = ['topdown.py']

val_evaluator = [dict(type='PCKAccuracy', thr=0.2), dict(type='AUC'), dict(type='EPE')]
test_evaluator = val_evaluator

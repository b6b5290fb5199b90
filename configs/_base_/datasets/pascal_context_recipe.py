# What the networks for Pascal Context have of their own: a gentler optimiser, and prediction by sliding windows.
optimizer_on_context = dict(lr=0.004, weight_decay=0.0001)
windows = dict(mode='slide', crop_size=(480, 480), stride=(320, 320))

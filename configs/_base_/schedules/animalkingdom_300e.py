# The steps of 210 epochs, carried on to 300 with AdamW.
_base_ = ['mpii_210e.py']

optim_wrapper = dict(optimizer=dict(type='AdamW'))
train_cfg = dict(max_epochs=300)

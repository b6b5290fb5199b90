_base_ = ['msra_256x256.py']

codec = dict(sigma=1.5)
encode = dict(encoder=codec)

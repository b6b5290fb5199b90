_base_ = ['mmseg::_base_/datasets/pascal_context_59.py', 'pascal_context_recipe.py']
num_classes = 59

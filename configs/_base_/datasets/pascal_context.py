_base_ = ['mmseg::_base_/datasets/pascal_context.py', 'pascal_context_recipe.py']
num_classes = 60

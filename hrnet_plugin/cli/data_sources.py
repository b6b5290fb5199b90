"""Where data sets come from, for those who run a config without having its data."""

from __future__ import annotations

from hrnet_plugin.config_tree import type_name

#: What to get, by a part of the data set's class, root, annotation file or missing folder; the first that fits.
_SOURCES = {
    "data/people": "Write it with `hrnet data make`",
    "stuffthingmaps": "Get stuffthingmaps_trainval2017.zip from https://github.com/nightrome/cocostuff",
    "cityscapes": "Get leftImg8bit and gtFine from https://www.cityscapes-dataset.com/downloads/",
    "adechallenge": "Get http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
    "aug.txt": "Get the augmented masks (SBD) from http://www.cs.berkeley.edu/~bharath2/codes/SBD/download.html",
    "pascalcontext": "Get VOC 2010 from http://host.robots.ox.ac.uk/pascal/VOC/voc2010/",
    "pascalvoc": "Get VOC 2012 from http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
    "loveda": "Get Train.zip and Val.zip from https://zenodo.org/record/5706578",
    "potsdam": "Ask for it at https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx",
    "vaihingen": "Ask for it at https://www.isprs.org/education/benchmarks/UrbanSemLab/default.aspx",
    "isaid": "Get the images of DOTA 1.0 and the masks from https://captain-whu.github.io/iSAID/dataset.html",
    "imagenet": "Get the images of ILSVRC2012 from https://image-net.org/download.php",
    "coco": "Get the 2017 images and annotations from https://cocodataset.org/#download",
}
#: Data sets that the configs read as they come; the others are converted or sorted into folders first.
_AS_IT_COMES = ("data/people", "coco")
_GUIDES = {
    "mmpose": "https://github.com/open-mmlab/mmpose/tree/main/docs/en/dataset_zoo",
    "mmseg": "https://github.com/open-mmlab/mmsegmentation/blob/main/docs/en/user_guides/2_dataset_prepare.md",
    "mmdet": "https://github.com/open-mmlab/mmdetection/blob/main/docs/en/user_guides/dataset_prepare.md",
    "mmpretrain": "https://github.com/open-mmlab/mmpretrain/blob/main/docs/en/user_guides/dataset_prepare.md",
}


def where_to_get(node: dict, missing: str = "", scope: str = "") -> str:
    """A sentence on where the data of a data set or evaluator comes from, and what to do without it.

    Args:
        node: The data set's or the evaluator's config.
        missing: The folder or file that is not there.
        scope: The framework of the config, whose own guide says how the folders are laid out.
    """
    named = f"{type_name(node)} {node.get('data_root')} {node.get('ann_file')} {missing}".lower()
    known = next((key for key in _SOURCES if key in named), None)
    steps = [_SOURCES[known]] if known else []
    if known not in _AS_IT_COMES and scope in _GUIDES:
        steps.append(f"lay it out as {_GUIDES[scope]} says")
    steps.append("point --data-root at where the data lies")
    line = f"{', '.join(steps)}, or see the tools work on generated data with `make demo`"
    return line[0].upper() + line[1:]

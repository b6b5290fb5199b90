"""Numbers and names of classes, and labels that are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.checks.config.metainfo import parsed_metainfo
from hrnet_plugin.findings import ERROR, NOTE, errors_in

SEG = "quickstart_seg"
ADE = "fcn_hr18s_4xb4-80k_ade20k-512x512"
CITIES = "fcn_hr18s_4xb2-40k_cityscapes-512x1024"
DETECTOR = "faster-rcnn_hrnetv2p-w18-1x_coco"
CLASSIFIER = "hrnet-w18_4xb32_in1k"
HEAD = "model.decode_head"
LOSS = f"{HEAD}.loss_decode"
NAMES = ("background", "head", "torso", "arms", "legs", "object")
SPLITS = ("train", "val", "test")


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (SEG, {f"{HEAD}.num_classes": 5}, "class-count", f"{HEAD}.num_classes"),
        (SEG, {f"{LOSS}.class_weight": [1.0] * 5}, "class-count", f"{LOSS}.class_weight"),
        (SEG, {"val_dataloader.dataset.metainfo.palette": [[0, 0, 0]] * 5}, "class-names",
         "val_dataloader.dataset.metainfo.palette"),
        (CITIES, {"train_dataloader.dataset.metainfo": {"classes": ("road", "moon")}, f"{HEAD}.num_classes": 2},
         "class-names", "train_dataloader.dataset.metainfo.classes"),
        (SEG, {"train_dataloader.dataset.pipeline.1.reduce_zero_label": True}, "zero-label",
         "train_dataloader.dataset.pipeline.1.reduce_zero_label"),
        (DETECTOR, {"model.roi_head.bbox_head.num_classes": 3}, "class-count", "model.roi_head.bbox_head.num_classes"),
        (CLASSIFIER, {"model.head.num_classes": 10}, "class-count", "model.head.num_classes"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(changed, base, change, check, where):
    found = errors_in(check_config(changed(base, change)))
    assert (check, where) in [(finding.check, finding.where) for finding in found]
    assert {finding.check for finding in found} == {check}


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (SEG, {f"{HEAD}.num_classes": 21}, "class-count", f"{HEAD}.num_classes"),
        (SEG, {"val_dataloader.dataset.metainfo.classes": (NAMES[0], *NAMES[2:], NAMES[1])}, "class-names",
         "val_dataloader.dataset.metainfo.classes"),
        (ADE, {"val_dataloader.dataset.reduce_zero_label": False, "val_dataloader.dataset.pipeline.2":
               {"type": "LoadAnnotations"}}, "zero-label", "val_dataloader.dataset.reduce_zero_label"),
        (SEG, {"model.data_preprocessor.seg_pad_val": 0}, "ignored-label", "model.data_preprocessor.seg_pad_val"),
        (SEG, {"val_evaluator.ignore_index": 0}, "ignored-label", "val_evaluator.ignore_index"),
    ],
)  # fmt: skip
def test_the_frameworks_say_nothing_of(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


def test_a_padding_that_is_no_class(planted):
    """The loss stops at it, as soon as an image is smaller than the crop."""
    where = "model.data_preprocessor.seg_pad_val"
    assert "neither a class nor ignored" in planted(SEG, {where: 77}, "ignored-label", where).found


def two_classes(**head: object) -> dict[str, object]:
    """Changes to background and one class, with these arguments of the head."""
    names = {f"{split}_dataloader.dataset.metainfo": {"classes": ("background", "leaf")} for split in SPLITS}
    return {**names, f"{HEAD}.num_classes": 2, **{f"{HEAD}.{name}": value for name, value in head.items()}}


def test_softmax_over_one_channel_learns_nothing(planted):
    finding = planted(SEG, two_classes(out_channels=1, threshold=0.5), "binary-head", f"{LOSS}.use_sigmoid")
    assert "0 whatever the network predicts" in finding.found


def test_a_sigmoid_without_a_threshold_is_a_note(planted, changed):
    change = two_classes(out_channels=1, loss_decode={"type": "CrossEntropyLoss", "use_sigmoid": True})
    assert planted(SEG, change, "binary-head", f"{HEAD}.threshold").level == NOTE
    assert check_config(changed(SEG, {**change, f"{HEAD}.threshold": 0.5})) == []


def test_a_text_in_the_place_of_names(changed):
    """`classes=('leaf')` lacks its comma: four letters are four classes."""
    cfg = changed(SEG, {"train_dataloader.dataset.metainfo.classes": "leaf"})
    (finding,) = [finding for finding in check_config(cfg) if finding.check == "class-names"]
    assert finding.where == "train_dataloader.dataset.metainfo.classes"
    assert "comma: classes=('leaf', )" in finding.do


def test_some_of_a_data_sets_classes_are_sound(changed):
    change = {f"{split}_dataloader.dataset.metainfo": {"classes": ("road", "car")} for split in SPLITS}
    assert errors_in(check_config(changed(CITIES, {**change, f"{HEAD}.num_classes": 2}))) == []


def folders(classes: object, **dataset: object) -> dict[str, object]:
    """Changes of the classifier to pictures of one's own, their classes named by the argument of mmpretrain."""
    own = {"type": "CustomDataset", "data_root": "data", "classes": classes, "pipeline": [{"type": "PackInputs"}]}
    return {f"{split}_dataloader.dataset": {**own, **dataset} for split in SPLITS}


@pytest.mark.parametrize("written", [list, tuple, "file"])
def test_classes_that_mmpretrain_is_given_beside_metainfo(planted, changed, tmp_path: Path, written):
    names = written(("cat", "dog", "newt")) if written != "file" else str(tmp_path / "names.txt")
    (tmp_path / "names.txt").write_text("cat\ndog\nnewt\n")
    finding = planted(CLASSIFIER, folders(names), "class-count", "model.head.num_classes")
    assert (finding.found, finding.expected) == ("1000", "3, the classes of the training data")
    assert errors_in(check_config(changed(CLASSIFIER, {**folders(names), "model.head.num_classes": 3}))) == []


def test_classes_beside_metainfo_are_those_of_the_data_set(tmp_path: Path):
    from mmpretrain.datasets import CustomDataset

    (tmp_path / "names.txt").write_text("cat\ndog")
    for classes, metainfo in (
        (("cat", "dog"), None),
        (str(tmp_path / "names.txt"), None),
        (["cat"], {"classes": "ab"}),
    ):
        given = {"classes": classes, "metainfo": metainfo}
        built = CustomDataset(data_root="data", lazy_init=True, **given)
        assert tuple(parsed_metainfo(CustomDataset, given)["classes"]) == tuple(built.metainfo["classes"])


def test_a_file_of_classes_that_is_not_there(changed):
    """mmpretrain stops: what it is given as a text is the path of a file."""
    (finding,) = errors_in(check_config(changed(CLASSIFIER, folders("cat"))))
    assert (finding.where, finding.count) == ("train_dataloader.dataset.classes", 3)
    assert finding.found == "'cat', no file"


def test_a_class_named_twice_beside_metainfo(changed):
    change = {**folders(["cat", "dog", "cat"]), "model.head.num_classes": 3}
    (finding,) = errors_in(check_config(changed(CLASSIFIER, change)))
    assert (finding.where, finding.found) == ("train_dataloader.dataset.classes", "'cat' more than once")

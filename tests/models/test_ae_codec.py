"""The codec: what it encodes, that it is packed, and that decoding gives the people back without a shift."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmpose.codecs import AssociativeEmbedding as Theirs
from mmpose.datasets.transforms import BottomupGetHeatmapMask, GenerateTarget, PackPoseInputs
from mmpose.models.utils.tta import aggregate_heatmaps
from mmpose.registry import KEYPOINT_CODECS

INPUT, CELLS = (192, 128), (48, 32)  # width x height; a cell is 4 pixels wide
OPTIONS = {
    "input_size": INPUT,
    "heatmap_size": CELLS,
    "sigma": 1,
    "decode_keypoint_order": [0, 1, 2],
    "decode_center_shift": 0.5,
}


def build(**options):
    return KEYPOINT_CODECS.build({"type": "hrnet_plugin.AssociativeEmbedding", **OPTIONS, **options})


def place_people(count: int, seed: int) -> np.ndarray:
    """Keypoints (count, 3, 2) in pixels, those of a kind at least four cells apart."""
    random = np.random.default_rng(seed)
    columns = np.stack([random.permutation(count) for _ in range(3)], axis=1)
    x = 16 + columns * 32 + random.uniform(-6, 6, (count, 3))
    y = random.uniform(16, INPUT[1] - 16, (count, 3))
    return np.stack((x, y), axis=-1).astype(np.float32)


def decode_perfect(codec, encoded: dict, restore: bool):
    """What the codec reads from its own heatmaps and from tags that tell the persons apart, enlarged as in a test."""
    heatmaps = torch.from_numpy(encoded["heatmaps"])[None]
    num_kinds, height, width = heatmaps.shape[1:]
    tags = torch.zeros(1, num_kinds, height * width)
    for person, row in enumerate(encoded["keypoint_indices"]):
        for kind, (position, counted) in enumerate(row):
            near = torch.tensor([position + shift for shift in (-width, -1, 0, 1, width)])
            tags[0, kind, near.clamp(0, height * width - 1)] = 5.0 * (person + 1) * counted
    tags = tags.reshape(heatmaps.shape)
    if restore:
        heatmaps = aggregate_heatmaps([heatmaps], size=INPUT)
        tags = torch.nn.functional.interpolate(tags, size=INPUT[::-1], mode="nearest")
    (keypoints,), (scores,), _ = codec.batch_decode(heatmaps, tags)
    return keypoints, scores


def match(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Errors (N, K, 2) in pixels of the nearest found person for each wanted one."""
    distances = np.abs(found[None] - wanted[:, None]).sum(axis=(2, 3))
    nearest = distances.argmin(axis=1)
    assert len(set(nearest)) == len(wanted)
    return found[nearest] - wanted


def test_mmpose_finds_it_by_its_scope():
    from hrnet_plugin.models.ae_codec import AssociativeEmbedding

    assert type(build()) is AssociativeEmbedding
    assert issubclass(AssociativeEmbedding, Theirs)


def test_a_keypoint_belongs_to_the_cell_that_contains_it():
    points = np.array([[[0.5, 0.5], [7.9, 4.1], [190.0, 127.0]]], dtype=np.float32)
    encoded = build().encode(points)
    assert encoded["keypoint_indices"].tolist() == [[[0, 1], [1 * 48 + 1, 1], [31 * 48 + 47, 1]]]
    assert [int(maps.argmax()) for maps in encoded["heatmaps"]] == [0, 49, 31 * 48 + 47]
    assert Theirs(**OPTIONS).encode(points)["keypoint_indices"][0, 1].tolist() == [1 * 48 + 2, 1]


def test_what_lies_outside_or_is_not_annotated_does_not_count():
    points = np.array([[[-20, 10], [192.5, 10], [40, 40]]], dtype=np.float32)
    encoded = build().encode(points, np.array([[1, 1, 0]], dtype=np.float32))
    assert encoded["keypoint_indices"][..., 1].tolist() == [[0, 0, 0]]


def test_with_udp_it_encodes_as_mmposes_does():
    points = place_people(3, seed=0)
    ours, theirs = (kind.encode(points) for kind in (build(use_udp=True), Theirs(**OPTIONS, use_udp=True)))
    assert ours.keys() == theirs.keys()
    for key in theirs:
        assert np.abs(ours[key].astype(float) - theirs[key]).max() == 0.0, key


def test_the_arguments_stay_as_they_were():
    points = place_people(2, seed=0)
    before = points.copy()
    build().encode(points)
    assert np.array_equal(points, before)


@pytest.mark.parametrize("restore", [True, False])
def test_perfect_heatmaps_and_tags_decode_to_the_people(restore):
    size = INPUT if restore else CELLS
    errors = []
    for seed in range(6):
        points = place_people(5, seed)
        keypoints, scores = decode_perfect(build(heatmap_size=size), build().encode(points), restore)
        errors.append(match(keypoints, points))
        assert scores.max() > 0.7
    errors = np.concatenate(errors).reshape(-1, 2)
    assert len(errors) == 90
    # A cell is 4 pixels wide and a prediction moves by a quarter of a cell at most.
    assert np.abs(errors).max() <= 3.0
    assert np.abs(errors.mean(axis=0)).max() < 0.6


def test_mmposes_own_encoding_decodes_half_a_cell_off():
    errors = []
    for seed in range(6):
        points = place_people(5, seed)
        keypoints, _ = decode_perfect(build(heatmap_size=INPUT), Theirs(**OPTIONS).encode(points), restore=True)
        errors.append(match(keypoints, points))
    assert np.concatenate(errors).reshape(-1, 2).mean(axis=0) == pytest.approx([2, 2], abs=0.6)


def test_with_udp_decoding_is_finer_than_a_cell():
    options = {"use_udp": True, "decode_center_shift": 0.0, "sigma": 2}
    points = place_people(5, seed=1)
    keypoints, _ = decode_perfect(build(**options), build(**options).encode(points), restore=False)
    assert np.abs(match(keypoints, points)).max() < 1.0


@pytest.mark.parametrize("levels", [1, 2])
def test_heatmaps_masks_and_indices_are_packed(levels):
    codecs = [build(heatmap_size=tuple(number * side for side in CELLS)) for number in (1, 2)][:levels]
    step = GenerateTarget({"type": "hrnet_plugin.AssociativeEmbedding", **OPTIONS})
    if levels > 1:
        step.encoder, step.multilevel = codecs, True
    packed = pack(step)
    fields, labels = packed.gt_fields, packed.gt_instance_labels
    heatmaps, masks = (
        value if levels > 1 else [value] for value in (fields.get("heatmaps"), fields.get("heatmap_mask"))
    )
    assert [tuple(maps.shape) for maps in heatmaps] == [(3, 32, 48), (3, 64, 96)][:levels]
    # The region of people without keypoints, the left half of the image, is masked out.
    assert [mask.float().mean().item() for mask in masks] == [0.5] * levels
    wanted = [codec.encode(place_people(2, seed=4))["keypoint_indices"] for codec in codecs]
    found = labels.keypoint_indices if levels > 1 else [labels.keypoint_indices]
    assert [indices.tolist() for indices in found] == [indices.tolist() for indices in wanted]
    assert labels.keypoint_weights.sum() == 6 * levels


def test_mmposes_own_codec_packs_no_indices():
    assert (
        "keypoint_indices" not in pack(GenerateTarget({"type": "AssociativeEmbedding", **OPTIONS})).gt_instance_labels
    )


def pack(generate: GenerateTarget):
    """The data sample of an image with two people, whose left half nobody annotated."""
    width, height = INPUT
    results = {
        "img": np.zeros((height, width, 3), dtype=np.uint8),
        "img_shape": (height, width),
        "input_size": INPUT,
        "warp_mat": np.eye(2, 3, dtype=np.float32),
        "keypoints": place_people(2, seed=4),
        "keypoints_visible": np.ones((2, 3), dtype=np.float32),
        "invalid_segs": [[[0, 0, width // 2, 0, width // 2, height, 0, height]]],
    }
    for step in (generate, BottomupGetHeatmapMask(), PackPoseInputs(meta_keys=())):
        results = step.transform(results)
    return results["data_samples"]

"""The head with one resolution: mmpose's layers and predictions, a loss that runs, and one line for wrong pipelines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from mmpose.models.heads import AssociativeEmbeddingHead as Theirs
from mmpose.models.losses import KeypointMSELoss
from mmpose.models.utils.tta import aggregate_heatmaps, flip_heatmaps
from mmpose.registry import MODELS

from hrnet_plugin.errors import ConfigError, UserError

OPTIONS = {
    "in_channels": 8,
    "num_keypoints": 3,
    "deconv_out_channels": None,
    "decoder": {
        "type": "hrnet_plugin.AssociativeEmbedding",
        "input_size": (64, 48),
        "heatmap_size": (64, 48),
        "sigma": 1,
        "decode_keypoint_order": [0, 1, 2],
        "decode_keypoint_thr": 0.0,
        "decode_topk": 4,
    },
}


def build(**options):
    """Our head with weights that give lively maps."""
    head = MODELS.build({"type": "hrnet_plugin.AssociativeEmbeddingHead", **OPTIONS, **options})
    draw = torch.Generator().manual_seed(0)
    for parameter in head.parameters():
        parameter.data = torch.randn(parameter.shape, generator=draw)
    return head


def draw_features(seed: int = 0) -> tuple[torch.Tensor]:
    return (torch.randn(2, 8, 12, 16, generator=torch.Generator().manual_seed(seed)),)


@pytest.fixture
def samples(pose_samples: Callable) -> list:
    """Targets for two images at 16x12."""
    return pose_samples([(16, 12)])


def assert_same_people(ours: list, theirs: list) -> None:
    assert len(ours) == len(theirs) == 2
    for one, other in zip(ours, theirs, strict=True):
        assert len(one.keypoints) > 1
        for field in ("keypoints", "keypoint_scores", "bbox_scores"):
            assert abs(one[field] - other[field]).max() == 0.0


@pytest.mark.parametrize("restore", [True, False])
def test_keys_maps_and_people_are_mmposes(samples, restore):
    ours, theirs = build(), Theirs(**OPTIONS)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    views = [draw_features(seed) for seed in (0, 1)]
    with torch.no_grad():
        for one, other in zip(ours(views[0]), theirs(views[0]), strict=True):
            assert (one - other).abs().max().item() == 0.0
        for shift in (True, False):
            options = {"flip_test": True, "shift_heatmap": shift, "restore_heatmap_size": restore}
            people = [head.predict(views, samples, test_cfg=options) for head in (ours, theirs)]
            assert_same_people(*people)


def test_without_a_flip_it_decodes_the_restored_maps(samples):
    head, features = build(), draw_features()
    with torch.no_grad():
        people, maps = head.predict(features, samples, {"restore_heatmap_size": True, "output_heatmaps": True})
        enlarged = [aggregate_heatmaps([one], size=(64, 48)) for one in head(features)]
        assert_same_people(people, head.decode(tuple(enlarged)))
    for index, one in enumerate(maps):
        assert (one.heatmaps - enlarged[0][index]).abs().max().item() == 0.0
        assert (one.tags - enlarged[1][index]).abs().max().item() == 0.0
    with pytest.raises(AssertionError):
        Theirs(**OPTIONS).predict(features, samples, {})


def test_scales_are_averaged_and_the_tags_are_those_of_the_first(samples):
    head = build()
    scales = [draw_features(), (torch.randn(2, 8, 6, 8),)]
    options = {"multiscale_test": True, "restore_heatmap_size": True, "output_heatmaps": True}
    with torch.no_grad():
        _, maps = head.predict(scales, samples, options)
        heatmaps = [aggregate_heatmaps([head(features)[0]], size=(64, 48)) for features in scales]
        tags = aggregate_heatmaps([head(scales[0])[1]], size=(64, 48))
    assert (torch.stack([one.heatmaps for one in maps]) - sum(heatmaps) / 2).abs().max().item() < 1e-6
    assert (torch.stack([one.tags for one in maps]) - tags).abs().max().item() == 0.0


def test_one_tag_map_serves_every_keypoint(samples):
    head, views = build(tag_per_keypoint=False, tag_dim=2), [draw_features(seed) for seed in (0, 1)]
    assert head.final_layer.out_channels == 3 + 2
    with torch.no_grad():
        heatmaps, tags = head(views[0])
        assert (tuple(heatmaps.shape[1:]), tuple(tags.shape[1:])) == ((3, 12, 16), (6, 12, 16))
        assert (tags[:, :3] - tags[:, :1]).abs().max().item() == 0.0
        people = head.predict(views, samples, {"flip_test": True, "restore_heatmap_size": True})
    assert all(len(one.keypoints) > 1 for one in people)
    assert all(term.isfinite() for term in head.loss(views[0], samples).values())


def test_a_mirrored_view_is_mirrored_back(samples):
    head, features = build(tag_dim=2), draw_features()
    mirrored = samples[0].metainfo["flip_indices"]
    with torch.no_grad():
        heatmaps, tags = head(features)
        pairs = [(flip_heatmaps(heatmaps, flip_indices=mirrored, shift_heatmap=False), heatmaps)]
        pairs += [(head._mirror_tags(tags, mirrored, shift=False), tags)]
        for back, maps in pairs:
            for number in range(maps.shape[1]):
                partner = number - number % 3 + mirrored[number % 3]
                assert torch.equal(back[:, number], maps[:, partner].flip(-1))


def test_the_loss_is_the_masked_mean_square_and_the_grouping(samples):
    head, features = build(), draw_features()
    losses = head.loss(features, samples)
    assert list(losses) == ["loss_kpt", "loss_pull", "loss_push"]
    heatmaps, tags = head(features)
    wanted = torch.stack([sample.gt_fields.heatmaps for sample in samples])
    mask = torch.stack([sample.gt_fields.heatmap_mask for sample in samples])
    assert 0.1 < mask.float().mean() < 0.9
    square = ((heatmaps - wanted) ** 2 * mask).sum() / heatmaps.numel()
    assert losses["loss_kpt"].item() == pytest.approx(square.item(), rel=1e-6)
    assert losses["loss_kpt"].item() == KeypointMSELoss()(heatmaps, wanted, mask=mask).item()
    grouping = MODELS.build({"type": "hrnet_plugin.AssociativeEmbeddingLoss", "loss_weight": 0.001})
    indices = [sample.gt_instance_labels.keypoint_indices for sample in samples]
    pair = [losses[name].item() for name in ("loss_pull", "loss_push")]
    assert pair == [term.item() for term in grouping(tags, indices)]
    assert min(pair) > 0


def test_mmposes_own_head_fails_on_the_same_samples(samples):
    with pytest.raises(AssertionError, match="mismatched shapes"):
        Theirs(**OPTIONS).loss(draw_features(), samples)


def without(samples: list, part: str, field: str) -> list:
    for sample in samples:
        sample.get(part).pop(field)
    return samples


@pytest.mark.parametrize(
    ("part", "field", "step"),
    [
        ("gt_fields", "heatmaps", "GenerateTarget"),
        ("gt_fields", "heatmap_mask", "BottomupGetHeatmapMask"),
        ("gt_instance_labels", "keypoint_indices", "hrnet_plugin.AssociativeEmbedding"),
    ],
)
def test_what_the_pipeline_left_out_is_named(samples, part, field, step):
    with pytest.raises(ConfigError, match=f"train_pipeline: found no {field} in a sample, expected .*{step}") as error:
        build().loss(draw_features(), without(samples, part, field))
    assert "\n" not in str(error.value)


def test_an_image_without_people_counts_as_packed(samples):
    samples[0].gt_instance_labels = samples[0].gt_instance_labels[torch.zeros(0, dtype=torch.long)]
    assert len(samples[0].gt_instance_labels) == 0
    losses = build().loss(draw_features(), samples)
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses["loss_pull"] > 0


def test_another_number_of_resolutions_is_one_line(pose_samples):
    with pytest.raises(UserError, match=r"found heatmaps of 2 resolution\(s\), expected 1, as the head predicts"):
        build().loss(draw_features(), pose_samples([(16, 12), (32, 24)]))


def test_heatmaps_of_another_size_are_one_line(pose_samples):
    with pytest.raises(UserError, match="found heatmap_size 32x24, expected 16x12, as the head predicts"):
        build().loss(draw_features(), pose_samples([(32, 24)]))


def test_images_of_two_sizes_in_a_batch_are_one_line(samples):
    samples[1].set_metainfo({"img_shape": (48, 96)})
    with pytest.raises(ConfigError, match="batch_size of the evaluation: found images of 2 sizes in one batch"):
        build().predict(draw_features(), samples, {"restore_heatmap_size": True})

"""HigherHRNet: the published sizes and layers, two resolutions in loss and prediction."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpose.models.utils.tta import aggregate_heatmaps

from hrnet_plugin.errors import ConfigError, SpecError
from hrnet_plugin.locations import project_dir

LEAVES = Path(project_dir("configs")) / "body_2d_keypoint/coco"
LEAF_W32 = "ae_higherhrnet-w32_8xb24-300e_coco-512x512"
OPTIONS = {
    "type": "hrnet_plugin.HigherHRNetHead",
    "in_channels": 8,
    "num_keypoints": 3,
    "num_blocks": 1,
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
    """A head in evaluation mode, with weights that give lively maps."""
    with DefaultScope.overwrite_default_scope("mmpose"):
        head = MODELS.build({**OPTIONS, **options}).eval()
    draw = torch.Generator().manual_seed(0)
    for parameter in head.parameters():
        parameter.data = 0.5 * torch.randn(parameter.shape, generator=draw)
    return head


def draw_features(seed: int = 0) -> tuple[torch.Tensor]:
    return (torch.randn(2, 8, 12, 16, generator=torch.Generator().manual_seed(seed)),)


def build_leaf(name: str):
    """The model of a shipped config, without memory for its weights."""
    config = Config.fromfile(str(LEAVES / f"{name}.py"))
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device("meta"):
        return MODELS.build(copy.deepcopy(config.model))


@pytest.mark.parametrize(
    ("name", "millions", "exact"),
    [
        ("ae_hrnet-w32_8xb24-300e_coco-512x512", "28.5", 28_536_674),
        ("ae_higherhrnet-w32_8xb24-300e_coco-512x512", "28.6", 28_645_331),
        ("ae_higherhrnet-w48_8xb10-300e_coco-640x640", "63.8", 63_827_139),
    ],
)
def test_the_parameters_are_those_published(name, millions, exact):
    count = sum(parameter.numel() for parameter in build_leaf(name).parameters())
    assert f"{count / 1e6:.1f}" == millions
    assert count == exact


def test_the_names_are_those_of_the_released_weights():
    shapes = {key: tuple(value.shape) for key, value in build_leaf(LEAF_W32).head.state_dict().items()}
    norm = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    wanted = {f"final_layers.{level}.{part}" for level in (0, 1) for part in ("weight", "bias")}
    wanted |= {"deconv_layers.0.0.0.weight", *(f"deconv_layers.0.0.1.{part}" for part in norm)}
    for block in range(1, 5):
        prefix = f"deconv_layers.0.{block}.0"
        wanted |= {f"{prefix}.conv{number}.weight" for number in (1, 2)}
        wanted |= {f"{prefix}.bn{number}.{part}" for number in (1, 2) for part in norm}
    assert shapes.keys() == wanted
    assert shapes["final_layers.0.weight"] == (34, 32, 1, 1)
    assert shapes["deconv_layers.0.0.0.weight"] == (32 + 34, 32, 4, 4)
    assert shapes["final_layers.1.weight"] == (17, 32, 1, 1)


def test_the_finer_heatmaps_see_the_features_and_the_coarser_output():
    head, (features,) = build(), draw_features()
    with torch.no_grad():
        (coarse, fine), tags = head((features,))
        given = head.final_layers[0](features)
        assert torch.equal(given, torch.cat((coarse, tags), dim=1))
        enlarged = head.deconv_layers[0](torch.cat((features, given), dim=1))
        assert torch.equal(fine, head.final_layers[1](enlarged))
    assert (tuple(coarse.shape), tuple(fine.shape)) == ((2, 3, 12, 16), (2, 3, 24, 32))


def test_the_resolution_can_be_doubled_twice(pose_samples):
    head = build(num_deconvs=2)
    heatmaps, _ = head(draw_features())
    assert [tuple(maps.shape[-2:]) for maps in heatmaps] == [(12, 16), (24, 32), (48, 64)]
    losses = head.loss(draw_features(), pose_samples([(16, 12), (32, 24), (64, 48)]))
    assert list(losses) == ["loss_kpt_0", "loss_kpt_1", "loss_kpt_2", "loss_pull", "loss_push"]


def test_each_resolution_has_its_masked_loss_and_the_coarsest_the_grouping(pose_samples):
    head, samples = build(), pose_samples([(16, 12), (32, 24)])
    losses = head.loss(draw_features(), samples)
    heatmaps, tags = head(draw_features())
    for level, maps in enumerate(heatmaps):
        wanted = torch.stack([sample.gt_fields.heatmaps[level] for sample in samples])
        mask = torch.stack([sample.gt_fields.heatmap_mask[level] for sample in samples])[:, None]
        square = ((maps - wanted) ** 2 * mask).sum() / maps.numel()
        assert losses[f"loss_kpt_{level}"].item() == pytest.approx(square.item(), rel=1e-6)
    indices = [sample.gt_instance_labels.keypoint_indices[0] for sample in samples]
    assert max(int(one[..., 0].max()) for one in indices) < 12 * 16
    pair = head.loss_module.tag_loss(tags, indices)
    assert [losses[name].item() for name in ("loss_pull", "loss_push")] == [term.item() for term in pair]


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("loss_kpt_0", {"final_layers.0"}),
        ("loss_kpt_1", {"final_layers.0", "final_layers.1", "deconv_layers.0"}),
        ("loss_pull", {"final_layers.0"}),
        ("loss_push", {"final_layers.0"}),
    ],
)
def test_the_gradient_of_each_loss_reaches_its_layers(pose_samples, name, reached):
    head = build()
    (features,) = draw_features()
    features.requires_grad_()
    head.loss((features,), pose_samples([(16, 12), (32, 24)]))[name].backward()
    moved = {key: float(value.grad.abs().max()) for key, value in head.named_parameters() if value.grad is not None}
    assert {".".join(key.split(".")[:2]) for key, size in moved.items() if size > 0} == reached
    assert features.grad.abs().max() > 0
    rows = head.final_layers[0].weight.grad.flatten(1).abs().amax(dim=1) > 0
    heatmaps, tags = rows[:3], rows[3:]
    assert tags.all().item() == (name != "loss_kpt_0")
    assert heatmaps.all().item() == name.startswith("loss_kpt")


def test_prediction_averages_the_resolutions_and_the_views(pose_samples):
    head, samples = build(), pose_samples([(16, 12)])
    mirrored = samples[0].metainfo["flip_indices"]
    views = [draw_features(seed) for seed in (0, 1)]
    options = {"flip_test": True, "restore_heatmap_size": True, "output_heatmaps": True}
    with torch.no_grad():
        people, found = head.predict(views, samples, options)
        merged, tags = [], []
        for number, view in enumerate(views):
            (coarse, fine), tag = head(view)
            maps = (enlarge(coarse, (32, 24)) + fine) / 2
            tag = enlarge(tag, (32, 24))
            if number:
                maps, tag = maps.flip(-1)[:, mirrored], tag.flip(-1)[:, mirrored]
            merged.append(enlarge(maps, (64, 48)))
            tags.append(enlarge(tag, (64, 48)))
        wanted = sum(merged) / 2, torch.cat(tags, dim=1)
        again = head.decode(wanted)
    assert (torch.stack([one.heatmaps for one in found]) - wanted[0]).abs().max().item() < 1e-5
    assert (torch.stack([one.tags for one in found]) - wanted[1]).abs().max().item() < 1e-5
    for one, other in zip(people, again, strict=True):
        assert len(one.keypoints) > 1
        assert abs(one.keypoints - other.keypoints).max() < 1e-3


def enlarge(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return aggregate_heatmaps([maps], size=size)


def test_one_resolution_of_targets_is_one_line(pose_samples):
    with pytest.raises(ConfigError, match=r"found heatmaps of 1 resolution\(s\), expected 2, as the head predicts"):
        build().loss(draw_features(), pose_samples([(16, 12)]))


@pytest.mark.parametrize(
    ("field", "value"),
    [("num_deconvs", 0), ("num_keypoints", 0), ("num_keypoints", "17"), ("tag_dim", -1)],
)
def test_a_wrong_count_is_one_line(field, value):
    with pytest.raises(SpecError, match=rf"head.{field}: found {value!r}, expected a whole number of at least 1"):
        build(**{field: value})


def test_the_norm_of_the_config_reaches_every_layer():
    head = build(norm_cfg={"type": "GN", "num_groups": 4})
    kinds = [type(module).__name__ for module in head.modules() if "Norm" in type(module).__name__]
    assert kinds == ["GroupNorm"] * 3

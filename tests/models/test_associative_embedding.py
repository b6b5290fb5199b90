"""Both models learn, on generated pictures, through mmpose's pipeline, runner and metric.

The configs are the shipped ones with a shallow network, small pictures and a grouping loss of three times the published
weight; the one of a single resolution decodes between the cells (UDP) as well.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner

from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.data import make_dataset
from hrnet_plugin.locations import project_dir

LEAVES = Path(project_dir("configs")) / "body_2d_keypoint/coco"
LEAF = {
    "ae": "ae_hrnet-w32_8xb24-300e_coco-512x512.py",
    "higher": "ae_higherhrnet-w32_8xb24-300e_coco-512x512.py",
}
SEED = 31  # 13 people in 8 pictures, several of them together, none very small


@pytest.fixture(autouse=True)
def _quiet_and_alone(monkeypatch: pytest.MonkeyPatch, forget_runs: Callable[[], None]) -> Iterator[None]:
    """One thread, no formatting of config files, and no logger left for later tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("mmengine.config.config.FormatCode", lambda text, **options: (text, False))
    yield
    torch.set_num_threads(threads)
    forget_runs()


def memorise(kind: str, folder: Path, size: tuple[int, int], epochs: int) -> Config:
    """A shipped config that learns 8 pictures of `size` (width, height) by heart and is measured on the same ones.

    The network is W32 with one block and one module everywhere. The tags weigh three times as much as published, since
    there is no long training in which they would part.
    """
    people = make_dataset(folder, train=8, val=1, test=1, size=size, seed=SEED, workers=1).root
    cfg = Config.fromfile(str(LEAVES / LEAF[kind]))
    if kind == "ae":
        decode_between_cells(cfg)
    codecs = [cell_codec(cfg.codec, size, stride) for stride in ((4,) if kind == "ae" else (4, 2))]
    encode = dict(cfg.encode, encoder=codecs if len(codecs) > 1 else codecs[0])
    still = dict(cfg.jitter, input_size=size, shift_prob=0, scale_prob=0, rotate_prob=0)
    pictures = {
        "type": "CocoDataset",
        "data_mode": "bottomup",
        "data_root": str(people),
        "ann_file": "annotations/person_keypoints_train.json",
        "data_prefix": {"img": "train/"},
    }
    loading = {"num_workers": 0, "persistent_workers": False}
    training = {**pictures, "pipeline": [cfg.load, still, encode, cfg.mask, cfg.pack]}
    testing = {**pictures, "test_mode": True, "pipeline": [cfg.load, fitted(cfg.resize, size), cfg.pack_test]}
    cfg.train_dataloader.update(loading, batch_size=2, dataset=training)
    cfg.test_dataloader.update(loading, dataset=testing)
    cfg.test_evaluator.ann_file = f"{people}/annotations/person_keypoints_train.json"
    cfg.merge_from_dict({"val_dataloader": None, "val_evaluator": None, "val_cfg": None})
    cfg.train_cfg = {"by_epoch": True, "max_epochs": epochs}
    change_model(cfg, size)
    change_schedule(cfg, epochs)
    return cfg


def decode_between_cells(cfg: Config) -> None:
    """Unbiased data processing (arXiv:1911.07524), for which associative embedding was published too: on pictures this
    small a heatmap at a quarter of the size is otherwise too coarse, even perfect ones reach AP 0.9 by a hair."""
    cfg.codec.update(use_udp=True, decode_center_shift=0, decode_gaussian_kernel=7)
    cfg.jitter.update(use_udp=True, transform_mode="affine_udp")
    cfg.resize.use_udp = True
    cfg.model.test_cfg.align_corners = True


def cell_codec(codec: dict, size: tuple[int, int], stride: int) -> dict:
    return dict(codec, input_size=size, heatmap_size=(size[0] // stride, size[1] // stride))


def fitted(resize: dict, size: tuple[int, int]) -> dict:
    return dict(resize, input_size=size, size_factor=32)


def change_model(cfg: Config, size: tuple[int, int]) -> None:
    """A shallow network with an initialisation that is quick to leave, decoding at the size of the pictures."""
    backbone, width = cfg.model.backbone, 32
    del backbone["arch"]
    spec = HRNetSpec.of_width(width, num_modules=(1, 1, 1, 1), num_blocks=1, stage1_width=32)
    backbone.extra = {f"stage{number}": describe(stage) for number, stage in enumerate(spec.stages, start=1)}
    backbone.init_cfg = [{"type": "Kaiming", "layer": "Conv2d"}, {"type": "Constant", "val": 1, "layer": "_BatchNorm"}]
    cfg.model.head.decoder = cell_codec(cfg.codec, size, stride=1)
    cfg.model.head.tag_loss.loss_weight = 0.003
    cfg.model.test_cfg.flip_test = False  # mirror images are not learnt


def describe(stage) -> dict:
    return {
        "num_modules": stage.num_modules,
        "num_branches": len(stage.branches),
        "block": stage.branches[0].block,
        "num_blocks": tuple(branch.num_blocks for branch in stage.branches),
        "num_channels": tuple(branch.width for branch in stage.branches),
    }


def change_schedule(cfg: Config, epochs: int) -> None:
    adam = {"type": "AdamW", "lr": 5e-3, "betas": (0.9, 0.98), "weight_decay": 0.01}
    warm_up = {"type": "LinearLR", "begin": 0, "end": 10, "start_factor": 0.1, "by_epoch": False}
    cosine = {"type": "CosineAnnealingLR", "begin": 0, "end": epochs, "T_max": epochs, "convert_to_iter_based": True}
    cfg.optim_wrapper = {"optimizer": adam}
    cfg.param_scheduler = [warm_up, cosine]
    cfg.custom_hooks = [{"type": "hrnet_plugin.ChannelsLastHook"}]
    cfg.default_hooks.checkpoint = None
    cfg.randomness = {"seed": 0}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "epochs"), [("ae", 80), ("higher", 65)])
def test_eight_pictures_are_learnt_by_heart(tmp_path, kind, epochs):
    cfg = memorise(kind, tmp_path / "people", (192, 160), epochs)
    cfg.work_dir, cfg.experiment_name = str(tmp_path / "run"), f"memorise_{kind}"
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert len(runner.test_dataloader) == 8
    precision = runner.test()["coco/AP"]
    print(f"{kind}: AP {precision:.3f}")
    assert precision >= 0.90


@pytest.fixture(scope="module", params=["ae", "higher"])
def learner(request, tmp_path_factory):
    """A fresh model on tiny pictures, and one prepared batch."""
    cfg = memorise(request.param, tmp_path_factory.mktemp("pictures") / "people", (96, 64), epochs=1)
    with DefaultScope.overwrite_default_scope("mmpose"):
        torch.manual_seed(0)
        model = MODELS.build(copy.deepcopy(cfg.model))
        model.init_weights()
        batch = next(iter(Runner.build_dataloader(cfg.train_dataloader, seed=0)))
    return model.train(), model.data_preprocessor(batch, training=True)


def test_the_gradient_of_each_loss_reaches_the_whole_backbone(learner):
    model, batch = learner
    losses = model(**batch, mode="loss")
    heatmaps = [name for name in losses if name.startswith("loss_kpt")]
    assert {*losses} == {*heatmaps, "loss_pull", "loss_push"}
    assert len(heatmaps) == len(getattr(model.head, "final_layers", [None]))
    parameters = [value for value in model.backbone.parameters() if value.dim() == 4]
    for name, loss in losses.items():
        slopes = torch.autograd.grad(loss, parameters, retain_graph=True)
        assert len(slopes) > 20
        assert all(slope.abs().max() > 0 for slope in slopes), name


def test_a_few_steps_lower_every_loss(learner):
    model, batch = learner
    model = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    seen = []
    for _ in range(25):
        losses = model(**batch, mode="loss")
        seen.append({name: loss.item() for name, loss in losses.items()})
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    for name in seen[0]:
        if name != "loss_pull":  # the tags begin as good as equal: nothing to pull together before they part
            assert seen[-1][name] < 0.8 * seen[0][name], name

"""Measurements are what they say they are, and reach TensorBoard."""

from __future__ import annotations

import json
import math

import pytest
import torch

from hrnet_plugin.engine.health.vitals import GRADIENT_NORM, LARGEST, SHIFT, SPREAD, WHOLE, ZEROS, Vitals

PARTS = {"stem", "stage 1", "transition 1", "stage 2", "head"}


def measured(tiny, model, scale: float = 1.0, by_branch: bool = False) -> tuple[dict, dict]:
    """The measurements of one batch, and what hooks see of it themselves."""
    samples = [tiny.Images(range(4))[index] for index in range(4)]
    images, targets = torch.stack([one["inputs"] for one in samples]), [one["data_samples"] for one in samples]
    seen, vitals = {}, Vitals(model, by_branch)
    model.train()

    def look(module, args, output):
        seen[names[module]] = args[0].detach(), output.detach()

    names = {module: name for name, module in model.named_modules() if name.rpartition(".")[2] in ("relu", "bn1")}
    names[model.head.final_layer] = "head.final_layer"
    handles = [module.register_forward_hook(look) for module in names]
    before = {id(buffer): buffer.clone() for buffer in model.buffers()}
    with vitals.watching_outputs():
        losses = model(images, targets, mode="loss")
    (losses["loss_kpt"] * scale).backward()
    for handle in handles:
        handle.remove()
    return vitals.measure(before, scale), seen


@pytest.fixture(scope="module")
def sound(tiny):
    return measured(tiny, tiny.Model())


def test_gradient_norms_are_those_of_the_parts(tiny, sound):
    model = tiny.Model()
    found, _ = measured(tiny, model)
    assert set(found[GRADIENT_NORM]) == {*PARTS, WHOLE}

    def norm(*starts: str) -> float:
        chosen = [one.grad for name, one in model.named_parameters() if name.startswith(starts)]
        return math.sqrt(sum(float(one.double().square().sum()) for one in chosen))

    assert found[GRADIENT_NORM]["head"] == pytest.approx(norm("head."), rel=1e-5)
    assert found[GRADIENT_NORM]["stage 2"] == pytest.approx(norm("backbone.stage2."), rel=1e-5)
    assert found[GRADIENT_NORM]["stage 1"] == pytest.approx(norm("backbone.layer1."), rel=1e-5)
    assert found[GRADIENT_NORM][WHOLE] == pytest.approx(norm(""), rel=1e-5)


def test_branches_are_told_apart_on_demand(tiny, sound):
    model = tiny.Model()
    found, _ = measured(tiny, model, by_branch=True)
    inner = {"stage 2 branch 1", "stage 2 branch 2", "stage 2 fusion"}
    assert set(found[GRADIENT_NORM]) == {*PARTS - {"stage 2"}, *inner, WHOLE}
    assert set(found[LARGEST]) == {*PARTS, *inner}
    squares = sum(found[GRADIENT_NORM][part] ** 2 for part in inner)
    assert math.sqrt(squares) == pytest.approx(sound[0][GRADIENT_NORM]["stage 2"], rel=1e-5)
    weights = [one.grad for name, one in model.named_parameters() if "stage2.0.branches.1." in name]
    expected = math.sqrt(sum(float(one.square().sum()) for one in weights))
    assert found[GRADIENT_NORM]["stage 2 branch 2"] == pytest.approx(expected, rel=1e-5)


def test_a_scaled_loss_is_scaled_back(tiny, sound):
    found, _ = measured(tiny, tiny.Model(), scale=1024.0)
    assert found[GRADIENT_NORM] == pytest.approx(sound[0][GRADIENT_NORM], rel=1e-4)


def test_outputs_are_those_of_the_parts(sound):
    found, seen = sound
    assert set(found[LARGEST]) == set(found[ZEROS]) == PARTS
    lasts = {"stem": "backbone.relu", "stage 2": "backbone.stage2.0.relu", "head": "head.final_layer"}
    for part, module in lasts.items():
        output = seen[module][1]
        assert found[LARGEST][part] == pytest.approx(float(output.abs().max()))
        assert found[ZEROS][part] == pytest.approx(float((output == 0).float().mean()))


def test_batch_norms_are_compared_with_the_batch(tiny):
    model = tiny.Model()
    torch.manual_seed(1)
    norm = model.backbone.bn1
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    for other in model.backbone.modules():  # the stem's other norm stays aside
        if isinstance(other, torch.nn.BatchNorm2d) and other is not norm:
            other.track_running_stats, other.running_mean, other.running_var = False, None, None
    found, seen = measured(tiny, model)
    entered = seen["backbone.bn1"][0]
    batch_variance, batch_mean = torch.var_mean(entered, (0, 2, 3))
    shift = ((batch_mean - mean) / (variance + norm.eps).sqrt()).square().mean().sqrt()
    spread = ((batch_variance + norm.eps) / (variance + norm.eps)).log().square().mean().sqrt()
    assert found[SHIFT] == {"stem": pytest.approx(float(shift), rel=1e-3)}
    assert found[SPREAD] == {"stem": pytest.approx(float(spread), rel=1e-3)}


def test_what_stands_still_is_not_measured(tiny):
    model = tiny.Model()
    for parameter in model.backbone.layer1.parameters():
        parameter.requires_grad_(False)
    model.backbone.norm_eval = True
    found, _ = measured(tiny, model)
    assert "stage 1" not in found[GRADIENT_NORM]
    assert found[SHIFT] == {}


def test_compiled_parts_keep_their_outputs_to_themselves(tiny):
    model = tiny.Model()
    model.backbone.stage2._compiled_call_impl = model.backbone.stage2._call_impl
    found, _ = measured(tiny, model)
    assert set(found[LARGEST]) == PARTS - {"stage 2"}
    assert set(found[GRADIENT_NORM]) == {*PARTS, WHOLE}


def test_scalars_at_the_interval_alone(tiny, tmp_path):
    health = {"interval": 3}
    tiny.train(tmp_path, images=tiny.Images(range(16)), health=health, wrapper={"accumulative_counts": 2})
    rows = [json.loads(line) for line in next(tmp_path.glob("*/vis_data/scalars.json")).read_text().splitlines()]
    rows = [row for row in rows if "train/health/lr" in row]
    # Due after 3 and 6 batches; gradients are whole after an even number.
    assert [row["step"] for row in rows] == [4, 6]
    for kind in ("gradient_norm", "activation_max", "activation_zeros", "norm_shift", "norm_spread"):
        assert f"train/health/{kind}/stage_2" in rows[0]
    assert rows[0]["train/health/lr"] == 0.05
    log = next(tmp_path.glob("*/*.log")).read_text()
    assert "train/health" not in log  # a line of the log has room for no more than it has


def test_tensorboard_gets_them(tiny, tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    backends = {"type": "Visualizer", "vis_backends": [{"type": "TensorboardVisBackend"}]}
    tiny.train(tmp_path, images=tiny.Images(range(8)), health={"interval": 2}, visualizer=backends)
    events = EventAccumulator(str(next(tmp_path.glob("*/vis_data/events*"))))
    events.Reload()
    tags = events.Tags()["scalars"]
    for part in ("stem", "stage_1", "stage_2", "head"):
        assert f"train/health/gradient_norm/{part}" in tags
        assert f"train/health/activation_zeros/{part}" in tags
    written = events.Scalars("train/health/norm_shift/stem")
    assert [one.step for one in written] == [2, 4]
    assert all(one.value > 0 for one in written)

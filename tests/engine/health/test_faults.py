"""Planted faults are caught before the optimizer steps, undone and named."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
import torch

from hrnet_plugin.engine import ChannelsLastHook
from hrnet_plugin.engine.health import check
from hrnet_plugin.engine.health.fault import TrainingFault

WEIGHT = "backbone.stage2.0.branches.1.0.conv1"
#: What is planted in the third of six batches, and what has to be named: kind, module, images, words.
FAULTS = {
    "image": ({"broken": [5]}, {}, "loss", "", [5], "the images themselves"),
    "target": ({"broken_targets": [4]}, {}, "loss", "head", [4], "of the annotations, target holds values"),
    "loss": (
        {},
        {"fault": "loss"},
        "loss",
        "head.loss_module",
        [4, 5],
        "the output of head.loss_module (SquaredError)",
    ),
    "divide": ({}, {"fault": "divide"}, "loss", "head", [4, 5], "computed after the output of head.final_layer"),
    "root": (
        {},
        {"fault": "root"},
        "gradient",
        "head",
        [5],
        "the gradient that reaches the output of head.final_layer",
    ),
}
VARIANTS = {
    "plain": {},
    "clipped": {"clip_grad": {"max_norm": 1.0}},
    "accumulated": {"accumulative_counts": 2},
    "thirds": {"accumulative_counts": 3},
    "bf16": {"type": "AmpOptimWrapper", "dtype": "bfloat16"},
}


def report(work_dir: Path, iteration: int = 3) -> dict:
    return json.loads((work_dir / "health" / f"iter_{iteration}" / "report.json").read_text())


def log(work_dir: Path) -> str:
    return next(work_dir.glob("*/*.log")).read_text()


def paths(indices: list[int]) -> list[str]:
    return [f"/images/{index}.jpg" for index in indices]


@pytest.fixture(scope="module")
def never_seen(tiny, tmp_path_factory):
    """`never_seen(variant, at, ...)`: the state after a training that has no batch `at`."""
    known = {}

    def state(variant: str, at: int = 2, by_epoch: bool = True, hooks: tuple = ()) -> dict[str, torch.Tensor]:
        key = variant, at, by_epoch, bool(hooks)
        if key not in known:
            images = tiny.Images([index for index in range(12) if index // 2 != at])
            folder = tmp_path_factory.mktemp("never_seen")
            built = tiny.train(folder, images=images, wrapper=VARIANTS[variant], by_epoch=by_epoch, hooks=hooks)
            known[key] = tiny.state_of(built)
        return known[key]

    return state


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("by_epoch", [True, False], ids=["epochs", "iterations"])
def test_a_batch_is_skipped_as_if_it_had_not_been_there(tiny, tmp_path, never_seen, fault, by_epoch):
    data, head, kind, module, images, words = FAULTS[fault]
    probe = tiny.Probe(at=[2])
    model = tiny.Model(**head, at=[2])
    built = tiny.train(
        tmp_path, images=tiny.Images(range(12), **data), model=model, hooks=[probe], by_epoch=by_epoch,
        health={"on_fault": "skip", "interval": 2},
    )  # fmt: skip
    assert probe.changed == []
    assert probe.losses[2] is None
    assert all(math.isfinite(loss) for loss in probe.losses if loss is not None)
    assert len(probe.losses) == 6
    assert tiny.differing(tiny.state_of(built), never_seen("plain", by_epoch=by_epoch)) == []
    told = report(tmp_path)
    assert (told["what"], told["module"], told["images"]) == (kind, module, paths(images))
    assert words in told["first_not_finite"]
    assert told["iteration"] == 3
    assert "health, iteration 3: batch skipped, " in log(tmp_path)
    assert "nan" not in log(tmp_path).lower()
    assert "health: a batch was skipped" in log(tmp_path)


@pytest.mark.parametrize("fault", ["image", "root"])
@pytest.mark.parametrize(
    ("variant", "at"),
    # The place within an update: its first batch, its last, and the last of all.
    [("clipped", 2), ("bf16", 2), ("accumulated", 2), ("accumulated", 3), ("accumulated", 5), ("thirds", 6)],
)
def test_ways_of_training(tiny, tmp_path, never_seen, variant, fault, at):
    broken = [2 * at + 1] if fault == "image" else []
    model = tiny.Model(fault=fault, at=[at])
    probe = tiny.Probe(at=[at])
    images = tiny.Images(range(14 if at == 6 else 12), broken)
    built = tiny.train(
        tmp_path, images=images, model=model, hooks=[probe], wrapper=VARIANTS[variant], health={"on_fault": "skip"}
    )
    assert probe.changed == []
    assert report(tmp_path, at + 1)["images"] == paths([2 * at + 1])
    assert report(tmp_path, at + 1)["module"] == ("" if fault == "image" else "head")
    if at == 5:  # the batch before it waits for an update that does not come
        assert built.optim_wrapper.inner_count == 5
    elif at == 6:  # it was an update of its own
        assert built.optim_wrapper.inner_count == 6
    else:
        assert tiny.differing(tiny.state_of(built), never_seen(variant, at)) == []


def test_channels_last(tiny, tmp_path, never_seen):
    built = tiny.train(
        tmp_path, images=tiny.Images(range(12), [5]), health={"on_fault": "skip"}, hooks=[ChannelsLastHook()],
        wrapper=VARIANTS["accumulated"],
    )  # fmt: skip
    expected = never_seen("accumulated", hooks=(ChannelsLastHook(),))
    assert tiny.differing(tiny.state_of(built), expected) == []


@pytest.mark.parametrize("fault", ["image", "root"])
def test_checkpointed_activations(tiny, tmp_path, never_seen, fault):
    model = tiny.Model(with_cp="nested", fault=fault, at=[2])
    images = tiny.Images(range(12), [5] if fault == "image" else [])
    built = tiny.train(tmp_path, images=images, model=model, health={"on_fault": "skip", "interval": 1})
    assert report(tmp_path)["images"] == paths([5])
    assert report(tmp_path)["module"] == ("" if fault == "image" else "head")
    for name, value in never_seen("plain").items():
        torch.testing.assert_close(tiny.state_of(built)[name], value, msg=name)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_is_stopped_before_it_is_spoiled(tiny, tmp_path, fault):
    data, head, kind, _, images, words = FAULTS[fault]
    probe = tiny.Probe(at=[2])
    with pytest.raises(TrainingFault) as stopped:
        tiny.train(
            tmp_path, images=tiny.Images(range(12), **data), model=tiny.Model(**head, at=[2]), hooks=[probe], health={}
        )
    assert tiny.differing(probe.before, tiny.state_of(stopped.value.runner)) == []
    line = str(stopped.value)
    assert line.startswith(f"training, iteration 3: found a {kind} that is not finite; first not finite: ")
    assert words in line
    assert ", ".join(paths(images)) in line
    assert f"{tmp_path / 'health/iter_3/report.txt'}" in line
    assert "--health skip" in line
    assert "\n" not in line


def test_an_infinite_weight_is_named_and_skipping_ends(tiny, tmp_path):
    def spoil(runner) -> None:
        runner.model.get_parameter(f"{WEIGHT}.weight").data[0, 0, 0, 0] = float("inf")

    probe = tiny.Probe(at=[2], act=spoil)
    health = {"on_fault": "skip", "most_skips": 2}
    with pytest.raises(TrainingFault, match=r"iteration 5: found a loss that is not finite \(3 batches in a row\)"):
        tiny.train(tmp_path, images=tiny.Images(range(12)), hooks=[probe], health=health)
    assert probe.losses == [pytest.approx(probe.losses[0]), pytest.approx(probe.losses[1]), None, None]
    for iteration in (3, 4, 5):
        told = report(tmp_path, iteration)
        assert told["module"] == WEIGHT
        assert told["place"] == "stage 2, module 1, branch 2"
        assert "though what entered it was finite; its weight holds values that are not" in told["first_not_finite"]
        assert told["images"] == paths([2 * iteration - 2, 2 * iteration - 1])


def test_a_diverged_network_is_told_by_its_numbers(tiny, tmp_path):
    def spoil(runner) -> None:
        runner.model.get_parameter(f"{WEIGHT}.weight").data.mul_(1e38)

    with pytest.raises(TrainingFault) as stopped:
        tiny.train(tmp_path, images=tiny.Images(range(6)), hooks=[tiny.Probe(at=[1], act=spoil)], health={})
    assert re.search(
        rf"the output of {WEIGHT} .* \(what entered it up to [\d.]+, its weights up to \S+e\+37\)", str(stopped.value)
    )


def test_sound_batches_between_end_the_count(tiny, tmp_path):
    images = tiny.Images(range(12), broken=[0, 4, 8])
    built = tiny.train(tmp_path, images=images, health={"on_fault": "skip", "most_skips": 1})
    assert "3 batches were skipped" in log(tmp_path)
    assert all(torch.isfinite(value).all() for value in tiny.state_of(built).values())


def test_chance_is_run_again_as_it_was(tiny, tmp_path):
    model = tiny.Model(fault="chance", dropout=0.5)
    probe = tiny.Probe()
    tiny.train(
        tmp_path, images=tiny.Images(range(12)), model=model, hooks=[probe], health={"on_fault": "skip"}, epochs=2
    )
    skipped = [index for index, loss in enumerate(probe.losses) if loss is None]
    assert 1 < len(skipped) < 11
    for index in skipped:
        told = report(tmp_path, index + 1)
        assert told["first_not_finite"].startswith("loss_kpt, computed after the output of head.loss_module")
        assert told["ranks"][0]["losses"]["loss_kpt"] == "inf"


def test_random_streams_go_on_as_if_it_had_not_been_there(tiny, tmp_path):
    health = {"on_fault": "skip"}
    built = tiny.train(
        tmp_path / "met", images=tiny.Images(range(12), [5]), model=tiny.Model(dropout=0.5), health=health
    )
    images = tiny.Images([index for index in range(12) if index not in (4, 5)])
    never = tiny.train(tmp_path / "never", images=images, model=tiny.Model(dropout=0.5))
    assert tiny.differing(tiny.state_of(built), tiny.state_of(never)) == []


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "thirds"])
def test_without_a_fault_nothing_changes(tiny, tmp_path, variant):
    found = []
    for health in (None, {"interval": 1}):
        probe = tiny.Probe()
        built = tiny.train(
            tmp_path / str(health), images=tiny.Images(range(12)), model=tiny.Model(dropout=0.5), hooks=[probe],
            health=health, wrapper=VARIANTS[variant], epochs=2,
        )  # fmt: skip
        found.append((tiny.state_of(built), probe.losses, torch.get_rng_state()))
    assert tiny.differing(found[0][0], found[1][0]) == []
    assert found[0][1] == found[1][1]
    assert torch.equal(found[0][2], found[1][2])


def test_nothing_stays_in_its_place(tiny, tmp_path):
    def check_clean(runner) -> None:
        assert "train_step" not in vars(runner.model)
        assert "backward" not in vars(runner.optim_wrapper)
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in runner.model.modules())

    class Stumbles(tiny.Model):
        def forward(self, inputs, data_samples, mode):
            if data_samples[0].img_path == "/images/4.jpg":
                raise ZeroDivisionError("in the forward pass")
            return super().forward(inputs, data_samples, mode)

    check_clean(tiny.train(tmp_path / "sound", images=tiny.Images(range(4)), health={"interval": 1}))
    for model, error in ((Stumbles(), ZeroDivisionError), (tiny.Model(fault="root", at=[2]), TrainingFault)):
        with pytest.raises(error) as stopped:
            tiny.train(tmp_path / error.__name__, images=tiny.Images(range(12)), model=model, health={"interval": 1})
        check_clean(stopped.value.runner)


class Scaled:
    """Puts torch's scaler in the place of the one that does nothing on a CPU."""

    def __init__(self, tiny, scale: float):
        self.hook = tiny.Probe(at=[0], act=self._set)
        self._scale = scale

    def _set(self, runner) -> None:
        runner.optim_wrapper.loss_scaler = torch.amp.GradScaler("cpu", init_scale=self._scale)


def test_a_scaler_that_looks_for_its_scale_is_left_alone(tiny, tmp_path):
    scaled = Scaled(tiny, 3e38)
    built = tiny.train(
        tmp_path, images=tiny.Images(range(12)), hooks=[scaled.hook], wrapper=VARIANTS["bf16"], health={}, epochs=3
    )
    assert built.optim_wrapper.loss_scaler.get_scale() < 2e38  # it skipped steps
    assert built.optim_wrapper.optimizer.state  # and took others
    assert not (tmp_path / "health").exists()


def test_steps_that_a_scaler_skips_are_not_measured(tiny, tmp_path):
    scaled = Scaled(tiny, 2.0**4)
    tiny.train(
        tmp_path, images=tiny.Images(range(20)), model=tiny.Model(fault="root", at=[1, 3]), health={"interval": 2},
        hooks=[scaled.hook], wrapper=VARIANTS["bf16"],
    )  # fmt: skip
    text = next(tmp_path.glob("*/vis_data/scalars.json")).read_text()
    rows = [row for row in map(json.loads, text.splitlines()) if "train/health/lr" in row]
    # Due after every second batch; the fourth overflowed, and the fifth is measured in its place.
    assert [row["step"] for row in rows] == [3, 5, 6, 8, 10]
    assert "Infinity" not in text
    assert "NaN" not in text
    assert "health, iteration" not in next(tmp_path.glob("*/*.log")).read_text()


def test_a_scaler_that_finds_none_is_a_fault(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "MOST_OVERFLOWS", 3)
    scaled = Scaled(tiny, 2.0**4)
    with pytest.raises(TrainingFault, match=r"iteration 5: found a gradient .*\(4 steps in a row that the loss scaler"):
        tiny.train(
            tmp_path, images=tiny.Images(range(12)), model=tiny.Model(fault="root", at=range(1, 6)), health={},
            hooks=[scaled.hook], wrapper=VARIANTS["bf16"],
        )  # fmt: skip
    assert report(tmp_path, 5)["module"] == "head"


def test_a_loss_counts_with_a_scaler_too(tiny, tmp_path):
    scaled = Scaled(tiny, 2.0**4)
    with pytest.raises(TrainingFault, match=r"iteration 3: found a loss"):
        tiny.train(
            tmp_path, images=tiny.Images(range(12), [5]), health={}, hooks=[scaled.hook], wrapper=VARIANTS["bf16"]
        )


def test_a_compiled_backbone_is_run_again_eagerly(tiny, tmp_path):
    model = tiny.Model()
    calls = []

    def compiled(*args: object, **kwargs: object) -> object:
        calls.append(1)
        return model.backbone._call_impl(*args, **kwargs)

    def spoil(runner) -> None:
        runner.model.get_parameter(f"{WEIGHT}.weight").data[0, 0, 0, 0] = float("inf")

    model.backbone._compiled_call_impl = compiled
    with pytest.raises(TrainingFault, match=WEIGHT):
        tiny.train(
            tmp_path, images=tiny.Images(range(6)), model=model, hooks=[tiny.Probe(at=[1], act=spoil)],
            health={"interval": 1},
        )  # fmt: skip
    assert len(calls) == 2
    assert model.backbone._compiled_call_impl is compiled

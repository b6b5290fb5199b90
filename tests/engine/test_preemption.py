"""A training that is asked to make room saves at the end of the step, and goes on as if it had not been asked."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook

from hrnet_plugin.engine import PreemptionHook, preemption
from hrnet_plugin.errors import Preempted


class Ask(Hook):
    """Sends a signal to this process in the middle of a step, or of a validation."""

    def __init__(self, number: int, iteration: int, in_validation: bool = False, times: int = 1):
        self.number, self.iteration, self.in_validation, self.times = number, iteration, in_validation, times

    def before_train_iter(self, runner, *_, **__) -> None:
        if not self.in_validation and runner.iter + 1 == self.iteration:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)

    def before_save_checkpoint(self, runner, checkpoint) -> None:
        if self.times > 1 and runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), self.number)

    def before_val_iter(self, runner, batch_idx, data_batch=None) -> None:
        if self.in_validation and runner.iter == self.iteration and batch_idx == 1:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize(("kind", "iteration", "in_validation"), [
    ("epochs", 4, False), ("epochs", 6, False), ("epochs", 6, True), ("iterations", 6, True), ("iterations", 10, False),
])  # fmt: skip
def test_saved_and_gone_on(small, tmp_path, number, kind, iteration, in_validation):
    # Checkpoints by epoch, or so seldom that only the one that was asked for is there.
    save = {"interval": 1} if kind == "epochs" else {"interval": 1000, "by_epoch": False}
    straight = small.run(tmp_path / "straight", kind, save=save, hooks=[PreemptionHook()])
    handlers = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGUSR1)]
    with pytest.raises(Preempted, match=rf"\({number.name}\) after iteration {iteration}; .*\.pth is written") as asked:
        small.run(tmp_path / "asked", kind, save=save, hooks=[PreemptionHook(), Ask(number, iteration, in_validation)])
    assert asked.value.exit_status == 75
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGUSR1)] == handlers

    resumed = small.run(tmp_path / "asked", kind, save=save, hooks=[PreemptionHook()], resume=True)
    assert min(resumed.losses) == iteration
    assert small.differences(small.state(tmp_path / "straight"), small.state(tmp_path / "asked")) == []
    assert resumed.asked == straight.asked[-len(resumed.asked) :]
    # The next checkpoint that was due took the place of the one that was not.
    files = [sorted(path.name for path in (tmp_path / name).glob("*.pth*")) for name in ("straight", "asked")]
    assert files[0] == files[1]


def test_an_echo_of_the_signal_changes_nothing(small, tmp_path):
    """Slurm, srun and torchrun may each send it, and later ones arrive while the checkpoint is written."""
    with pytest.raises(Preempted, match=r"iteration 4; .* is written"):
        small.run(tmp_path, hooks=[PreemptionHook(), Ask(signal.SIGTERM, 4, times=2)])


def test_once_more_later_ends_at_once(monkeypatch):
    monkeypatch.setattr(preemption, "_ECHO", 0)
    hook = PreemptionHook()
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
    try:
        hook._agreement = None
        hook._before = {number: signal.signal(number, hook._note) for number in (signal.SIGTERM,)}
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [1]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_our_checkpoint_hook_it_is_said(small, tmp_path: Path):
    with pytest.raises(Preempted, match="nothing could be saved"):
        small.run(tmp_path, save="none", hooks=[PreemptionHook(), Ask(signal.SIGTERM, 2)])


@pytest.mark.parametrize(("dist_cfg", "expected"), [({"timeout": 7}, timedelta(seconds=7)), ({}, None)])
def test_silence_while_processes_agree_is_as_long_as_elsewhere(monkeypatch, dist_cfg, expected):
    """A cut link may first be met by what agrees: a validation exchanges nothing else."""
    asked = {}
    monkeypatch.setattr(preemption.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(preemption.dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(preemption.dist, "new_group", lambda **options: asked.update(options))
    hook = PreemptionHook()
    hook.before_train(SimpleNamespace(cfg=Config({"env_cfg": {"dist_cfg": dist_cfg}}), train_loop=None, val_loop=None))
    hook._put_back()
    assert asked == {"backend": "gloo", "timeout": expected}


@pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="who sent a signal cannot be told here")
def test_processes_that_load_data_survive_a_signal_to_all(small, tmp_path):
    class AskAll(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
            if runner.iter + 1 == 4:
                workers = [str(worker.pid) for worker in runner.train_loop.dataloader._iterator._workers]
                subprocess.run(["kill", *workers, str(os.getpid())], check=True)

    with pytest.raises(Preempted, match=r"iteration 4; .* is written"):
        small.run(tmp_path, workers=2, hooks=[PreemptionHook(), AskAll()])

"""mmengine's checkpoint hook, in an order and a way that lose nothing when the process dies or the disk is full.

mmengine 0.10.7 removes the outdated checkpoint before it writes the new one, writes in place, empties
`last_checkpoint` before filling it, and ends the training where the disk is full. A kill in between costs the last good
state.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process, master_only
from mmengine.fileio import HardDiskBackend, LocalBackend
from mmengine.hooks import CheckpointHook as EngineCheckpointHook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint

from hrnet_plugin.checkpoints.atomic import remove_partial_files, serialise, write_text_atomically
from hrnet_plugin.checkpoints.loading.same_keys import spec_of_network
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.checkpoints.publishing import hashed_name
from hrnet_plugin.disk import is_full
from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.registry import HOOKS

from ..resuming.state import TrainingState
from .remembering import Saving, remembered
from .storage import BACKEND, AtomicLocalBackend, Writer, write_checkpoint


class _RemovesLater:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend: Any, noted: list[str]):
        self._backend = backend
        self._noted = noted

    def remove(self, path: str) -> None:
        self._noted.append(path)

    rmtree = remove

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@HOOKS.register_module()
class CheckpointHook(EngineCheckpointHook):
    """Saves checkpoints as mmengine's hook does: same options, file names and content, and a little more.

    - A checkpoint is written as a whole or not at all, with its SHA-256 beside it (local folders; other storage as
      mmengine writes it).
    - `last_checkpoint` moves only after its checkpoint stands.
    - Outdated checkpoints (`max_keep_ckpts`, a superseded best one) are removed last.
    - A full disk is told, and training goes on; what stood there stands. At the end of the training it is an error.
    - It holds what the loops of `resuming` need to go on as if there had been no stop.
    - `meta` describes the network, where its backbone is ours: keys and shapes alone do not tell all of it.

    Args:
        background: Write in a thread while training goes on; one checkpoint is in memory meanwhile.
        arguments, options: As mmengine's hook takes them.
    """

    def __init__(self, *arguments: Any, background: bool = False, **options: Any):
        super().__init__(*arguments, **options)
        self.background = background
        self._state: TrainingState | None = None
        self._open: Saving | None = None
        self._begun: Saving | None = None
        self._missed: tuple[int, dict[str, Any]] | None = None
        self._is_last_try = False
        #: Iterations that the last checkpoint has seen, and the one that is being written.
        self._saved_at = self._saving_at = -1
        self._left_over: list[str] = []

    def before_train(self, runner: Runner) -> None:
        """Find the storage, clear what a killed run left half-written."""
        super().before_train(runner)
        self._writer = Writer(self.background)
        if type(getattr(self.file_backend, "client", self.file_backend)) in (LocalBackend, HardDiskBackend):
            self.file_client_args, self.backend_args = None, {"backend": BACKEND}
            self.file_backend = AtomicLocalBackend()
            if is_main_process():
                for folder in {self.out_dir, runner.work_dir}:
                    remove_partial_files(folder)
        self._state = None

    def hand_over(self, runner: Runner) -> None:
        """Give the loop what a checkpoint has restored; it calls this before it begins."""
        if self._state is not None:
            self._state.hand_over(runner)

    def after_train(self, runner: Runner) -> None:
        """Wait for what is still being written, try once more what could not be; publish, where that is asked for.

        Raises:
            CheckpointError: the last checkpoint still cannot be written.
        """
        self._settle(runner)
        if self._missed is not None:
            runner.logger.warning("The last checkpoint could not be written: trying once more")
            self._is_last_try = True
            self._save_checkpoint_with_step(runner, *self._missed)
            self._settle(runner)
        super().after_train(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the description of the network, and the state of the training where it can go on from it."""
        spec = spec_of_network(runner.model)
        if spec is not None:
            checkpoint["meta"].update(describe_network(spec))
        if self._state is not None:
            self._state.save(runner, checkpoint)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the state for the loop: mmengine may seed anew before it begins.

        Raises:
            CheckpointError: it says where training stands in a form that this project never wrote.
        """
        self._state = TrainingState.read(checkpoint)

    def save_now(self, runner: Runner, done: int) -> str:
        """Save between two iterations, whatever the interval; to be called by all processes.

        The next checkpoint that is due takes its place.

        Args:
            runner: Of the training.
            done: Iterations that are done.

        Returns:
            The path; '' where the disk is full.

        Raises:
            CheckpointError: it cannot be written for another reason.
        """
        self._settle(runner)
        if self._saved_at != done:
            with self._saving(runner) as saving:
                self._save(runner, saving, f"iter_{done}.pth", {"epoch": runner.epoch, "iter": done}, None)
            self._settle(runner)
        return self.last_ckpt if self._saved_at == done else ""

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        with self._saving(runner) as saving:
            saving.due = step, dict(meta)
            saving.outdated += self._outdated_by(runner, step)
            self._save(runner, saving, self.filename_tmpl.format(step), meta, self.by_epoch)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        with self._saving(runner) as saving:
            backend = self.file_backend
            self.file_backend = _RemovesLater(backend, saving.outdated)
            try:
                super()._save_best_checkpoint(runner, metrics)
            finally:
                self.file_backend = backend

    def _save(self, runner: Runner, saving: Saving, name: str, meta: dict[str, Any], by_epoch: bool | None) -> None:
        """Has a checkpoint saved; with `by_epoch` None it is one beside those that are due."""
        self._saving_at = meta["iter"]
        former = runner.message_hub.runtime_info.pop("preemption_ckpt", None)
        saving.outdated += [former] if former else []
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        if by_epoch is None:
            runner.message_hub.update_info("preemption_ckpt", self.last_ckpt)
        self._state = TrainingState.of(runner)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=bool(by_epoch),
                backend_args=self.backend_args,
                **self.args,
            )
        finally:
            self._state = None

    @contextmanager
    def _saving(self, runner: Runner) -> Iterator[Saving]:
        """What is saved meanwhile is written together at the end: a best checkpoint, and the one that knows of it."""
        if self._open is not None:
            yield self._open
            return
        self._settle(runner)
        saving = self._open = Saving(remembered(self, runner))
        last = self.last_ckpt
        try:
            with AtomicLocalBackend.noting(saving.files):
                yield saving
        finally:
            self._open = None
        self._begun = saving
        saving.outdated += self._left_over
        self._left_over = []
        if is_main_process():
            self._write(runner, saving, self.last_ckpt if saving.due or self.last_ckpt != last else None)
        if not self.background:
            self._settle(runner)

    def _write(self, runner: Runner, saving: Saving, last: str | None) -> None:
        """Writes the files; then lets `last_checkpoint` name the last; then removes what is outdated."""
        stays = {self.last_ckpt, getattr(self, "best_ckpt_path", None)}
        stays.update(getattr(self, "best_ckpt_path_dict", {}).values())  # one may have been written anew meanwhile
        outdated = [path for path in dict.fromkeys(saving.outdated) if path not in stays]
        note = os.path.join(runner.work_dir, "last_checkpoint")

        def write() -> None:
            for data, path in saving.files:
                write_checkpoint(data, path)
            if last is not None:
                write_text_atomically(last, note)
            self._remove(outdated)

        self._writer.do(write)

    def _settle(self, runner: Runner) -> None:
        """Sees on all processes whether what was begun could be written.

        Raises:
            CheckpointError: it could not; where the disk is full, only in the last try.
        """
        saving, self._begun = self._begun, None
        if saving is None:
            return
        error: OSError | CheckpointError | None = None
        if is_main_process():
            try:
                self._writer.wait()
            except (OSError, CheckpointError) as caught:
                error = caught
        cause = error.__cause__ if isinstance(error, CheckpointError) else error
        outcome = [(str(error), isinstance(cause, OSError) and is_full(cause)) if error else None]
        broadcast_object_list(outcome)
        if outcome[0] is None:
            self._missed = None if saving.due else self._missed
            self._saved_at = self._saving_at
            return
        saving.undo()
        self._left_over += saving.outdated
        self._missed = saving.due or self._missed
        words, full = outcome[0]
        if self._is_last_try or not full:
            raise error if isinstance(error, CheckpointError) else CheckpointError(words)
        runner.logger.error(f"{words}. Training goes on without it")

    def _outdated_by(self, runner: Runner, step: int) -> list[str]:
        """Take the checkpoint of `step` among those to keep; returns the files it pushes out."""
        if self.max_keep_ckpts <= 0 or (self.keep_ckpt_ids and self.keep_ckpt_ids[-1] == step):
            return []
        pushed_out = list(self.keep_ckpt_ids)[:1] if len(self.keep_ckpt_ids) == self.max_keep_ckpts else []
        self.keep_ckpt_ids.append(step)  # a deque of that length: the oldest falls out by itself
        runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        names = [self.filename_tmpl.format(old) for old in pushed_out]
        return [self.file_backend.join_path(self.out_dir, name) for name in names]

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
            elif self.file_backend.isdir(path):  # deepspeed's checkpoints are folders
                self.file_backend.rmtree(path)

    @master_only
    def _publish_model(self, runner: Runner, ckpt_path: str) -> None:
        checkpoint = _load_checkpoint(ckpt_path)
        dropped = sorted(set(checkpoint) - set(self.published_keys))
        data = serialise({key: checkpoint[key] for key in checkpoint if key in self.published_keys})
        digest = hashlib.sha256(data).hexdigest()
        path = hashed_name(os.path.splitext(ckpt_path)[0], digest, ".pth")
        self.file_backend.put(data.tobytes(), path)
        runner.logger.info(f"Published {ckpt_path} as {path}; left out: {', '.join(dropped) or 'nothing'}.")

"""mmengine's checkpoint hook, in an order and a way that lose nothing when the process dies or the disk is full.

mmengine 0.10.7 removes the outdated checkpoint before it writes the new one, writes in place, empties
`last_checkpoint` before filling it, and ends the training where the disk is full. A kill in between costs the last good
state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process, master_only
from mmengine.fileio import HardDiskBackend, LocalBackend
from mmengine.hooks import CheckpointHook as EngineCheckpointHook
from mmengine.runner import Runner

from hrnet_plugin.checkpoints.atomic import write_text_atomically
from hrnet_plugin.checkpoints.loading.same_keys import spec_of_network
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.checkpoints.newest import NUMBER, number_of
from hrnet_plugin.disk import is_full
from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.registry import HOOKS

from ..resuming.state import TrainingState
from .folder import take_folder
from .folder_lock import let_go
from .line import Start
from .remembering import Saving, follow_folder, keep_only, remembered
from .storage import BACKEND, AtomicLocalBackend, RemovesLater, Writer, publish, remove_all, write_checkpoint


@HOOKS.register_module()
class CheckpointHook(EngineCheckpointHook):
    """Saves checkpoints as mmengine's hook does: same options, file names and content, and a little more.

    - A checkpoint is written as a whole or not at all, with its SHA-256 beside it (local folders; other storage as
      mmengine writes it).
    - `last_checkpoint` moves only after its checkpoint stands.
    - Outdated checkpoints (`max_keep_ckpts`, a superseded best one) are removed last, and only from its own folder.
    - Its folder is for one training at a time; checkpoints of another that stand there are moved into a subfolder.
    - Savings are numbered (`checkpoints.newest`), so that the last is known whatever its iteration.
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
        self._is_missed = False
        self._is_last_try = False
        #: Iterations that the last checkpoint has seen, and the one that is being written.
        self._saved_at = self._saving_at = -1
        self._left_over: list[str] = []
        self._number = 0
        self._is_handed_over = False
        self._restored_at: int | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the storage, take the folder, clear what a killed run left half-written, set others' checkpoints aside.

        Raises:
            ConfigError: another training is at work there.
            CheckpointError: checkpoints that are to be set aside cannot be moved.
        """
        start = Start.of(runner, self._is_handed_over)
        # mmengine would remove some of them at once, without their sums.
        kept = runner.message_hub.runtime_info.pop("keep_ckpt_ids", [])
        super().before_train(runner)
        self._writer = Writer(self.background)
        if type(getattr(self.file_backend, "client", self.file_backend)) in (LocalBackend, HardDiskBackend):
            self.file_client_args, self.backend_args = None, {"backend": BACKEND}
            self.file_backend = AtomicLocalBackend()
            self._number = max(self._number, take_folder(runner, self.out_dir, self.filename_tmpl, start))
            if start.resumes and start.source is not None:
                follow_folder(self, runner, start.source)
        if start.is_in(self.out_dir):
            self._left_over += map(self._path_of, keep_only(self, runner, kept))
            if start.source is not None and self._restored_at == runner.iter:
                self.last_ckpt = self.file_backend.join_path(self.out_dir, start.source.name)
                self._saved_at = runner.iter
        self._state = None

    def before_train_iter(self, *_: object, **__: object) -> None:
        """From here on the last checkpoint is not what there is."""
        self._saved_at = -1

    def hand_over(self, runner: Runner) -> None:
        """Give the loop what a checkpoint has restored; it calls this before it begins."""
        self._is_handed_over = True
        if self._state is not None:
            self._state.hand_over(runner)

    def after_train(self, runner: Runner) -> None:
        """Wait for what is still being written, try once more what could not be; publish, where that is asked for.

        Raises:
            CheckpointError: the last checkpoint still cannot be written.
        """
        self._settle(runner)
        if self._is_missed:
            runner.logger.warning("The last checkpoint could not be written: trying once more")
            self._is_last_try = True
            done = runner.epoch if self.by_epoch else runner.iter  # what there is now, and not what was missed
            self._save_checkpoint_with_step(runner, done, {"epoch": runner.epoch, "iter": runner.iter})
            self._settle(runner)
        super().after_train(runner)
        let_go(self.out_dir)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add number and description of the network, and the state of the training where it can go on from it."""
        self._number += 1
        checkpoint["meta"][NUMBER] = self._number
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
        meta = checkpoint.get("meta")
        self._number = max(self._number, number_of(meta))
        self._restored_at = meta.get("iter") if isinstance(meta, Mapping) else None

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
            saving.is_due = True
            saving.outdated += self._outdated_by(runner, step)
            self._save(runner, saving, self.filename_tmpl.format(step), meta, self.by_epoch)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        with self._saving(runner) as saving:
            backend = self.file_backend
            self.file_backend = RemovesLater(backend, saving.outdated)
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
        if by_epoch is None and (self.last_ckpt == former or not self.file_backend.isfile(self.last_ckpt)):
            runner.message_hub.update_info("preemption_ckpt", self.last_ckpt)  # not one that was due as well
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
            self._write(runner, saving, self.last_ckpt if saving.is_due or self.last_ckpt != last else None)
        if not self.background:
            self._settle(runner)

    def _write(self, runner: Runner, saving: Saving, last: str | None) -> None:
        """Writes the files; then lets `last_checkpoint` name the last; then removes what is outdated."""
        stays = {self.last_ckpt, getattr(self, "best_ckpt_path", None)}
        stays.update(getattr(self, "best_ckpt_path_dict", {}).values())  # one may have been written anew meanwhile
        outdated = [path for path in dict.fromkeys(saving.outdated) if path not in stays and self._is_ours(path)]
        note = os.path.join(runner.work_dir, "last_checkpoint")

        def write() -> None:
            for data, path in saving.files:
                write_checkpoint(data, path)
                saving.written.append(path)
            if last is not None:
                write_text_atomically(last, note)
            remove_all(self.file_backend, outdated)

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
        is_for_room = isinstance(cause, OSError) and is_full(cause)
        outcome = [(str(error), is_for_room, saving.written) if error else None]
        broadcast_object_list(outcome)
        if outcome[0] is None:
            self._is_missed = self._is_missed and not saving.is_due
            self._saved_at = self._saving_at
            return
        words, full, written = outcome[0]
        saving.undo(written)
        self._left_over += saving.outdated
        self._is_missed = self._is_missed or saving.is_due
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
        return list(map(self._path_of, pushed_out))

    def _path_of(self, step: int) -> str:
        return self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(step))

    def _is_ours(self, path: str) -> bool:
        """Whether a checkpoint stands where this training writes: it may have gone on from another's."""
        is_local = isinstance(self.file_backend, AtomicLocalBackend)
        folders = [os.path.dirname(one) for one in (path, self._path_of(0), os.path.join(self.out_dir, ""))]
        own, *others = map(os.path.realpath, folders) if is_local else folders
        return own in others

    @master_only
    def _publish_model(self, runner: Runner, ckpt_path: str | None) -> None:
        if not ckpt_path or not self.file_backend.isfile(ckpt_path):
            runner.logger.warning(f"Not published, since it is not there any more: {ckpt_path or 'a best checkpoint'}")
            return
        path, dropped = publish(self.file_backend, ckpt_path, self.published_keys)
        runner.logger.info(f"Published {ckpt_path} as {path}; left out: {', '.join(dropped) or 'nothing'}.")

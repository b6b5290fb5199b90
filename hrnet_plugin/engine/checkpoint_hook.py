"""mmengine's checkpoint hook, in an order and a way that lose nothing when the process dies.

mmengine 0.10.7 removes the outdated checkpoint before it writes the new one, writes in place, and empties
`last_checkpoint` before filling it. A kill in between costs the last good state.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from mmengine.dist import all_gather_object, get_rank, is_main_process, master_only
from mmengine.fileio import HardDiskBackend, LocalBackend, register_backend
from mmengine.hooks import CheckpointHook as EngineCheckpointHook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.checkpoint import _load_checkpoint

from hrnet_plugin.checkpoints.atomic import (
    remove_partial_files,
    save_or_tell,
    serialise,
    write_text_atomically,
)
from hrnet_plugin.checkpoints.loading.same_keys import spec_of_network
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.checkpoints.publishing import hashed_name
from hrnet_plugin.checkpoints.random_streams import capture_random_streams, restore_random_streams
from hrnet_plugin.registry import HOOKS

_BACKEND = "hrnet_plugin.atomic"
_STREAMS = "random_streams"


@register_backend(_BACKEND)
class AtomicLocalBackend(LocalBackend):
    """Local files, each written as a whole or not at all."""

    def put(self, obj: bytes, filepath: str | os.PathLike[str]) -> None:
        """Write bytes.

        Raises:
            CheckpointError: the folder cannot be written or is full; the file that stood there still stands.
        """
        do = "The checkpoint before it still stands: make room and go on from it with --resume"
        save_or_tell(obj, filepath, "checkpoint", do)


class _RemovesLater:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend: Any):
        self._backend = backend
        self.noted: list[str] = []

    def remove(self, path: str) -> None:
        self.noted.append(path)

    rmtree = remove

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@HOOKS.register_module()
class CheckpointHook(EngineCheckpointHook):
    """Saves checkpoints as mmengine's hook does: same options, file names and content, and a little more.

    - A checkpoint is written as a whole or not at all (local folders; other storage as mmengine writes it).
    - `last_checkpoint` moves only after its checkpoint stands.
    - Outdated checkpoints (`max_keep_ckpts`, a superseded best one) are removed last.
    - `random_streams`: the random generators of each rank. A run by epochs that is resumed with as many ranks
      goes on drawing where it stopped, so from an epoch's end it equals an uninterrupted run (without
      data-loader workers, whose streams mmengine seeds by itself).
    - `meta` describes the network, where its backbone is ours: keys and shapes alone do not tell all of it.
    """

    _streams: list[dict[str, Any]] | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the storage, clear what a killed run left half-written, go on with the restored streams."""
        super().before_train(runner)
        if type(getattr(self.file_backend, "client", self.file_backend)) in (LocalBackend, HardDiskBackend):
            self.file_client_args, self.backend_args = None, {"backend": _BACKEND}
            self.file_backend = AtomicLocalBackend()
            if is_main_process():
                for folder in {self.out_dir, runner.work_dir}:
                    remove_partial_files(folder)
        self._go_on_drawing(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the description of the network, and the random streams where training can resume from it."""
        spec = spec_of_network(runner.model)
        if spec is not None:
            checkpoint["meta"].update(describe_network(spec))
        if self._streams is not None:
            checkpoint[_STREAMS] = self._streams

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the random streams for `before_train`: mmengine may seed anew between the two."""
        self._streams = checkpoint.get(_STREAMS)

    def _go_on_drawing(self, runner: Runner) -> None:
        streams, self._streams = self._streams, None
        if not streams or runner.iter == 0:  # a checkpoint as a starting point (load_from) is no resumed run
            return
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            return  # it loads all that it has seen once more, and by that moves the streams itself
        if len(streams) != runner.world_size:
            runner.logger.warning(
                f"resumed with {runner.world_size} ranks from a checkpoint of {len(streams)}: "
                "the random streams start anew from the seed"
            )
            return
        restore_random_streams(streams[get_rank()])

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        outdated = self._outdated_by(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        self._streams = all_gather_object(capture_random_streams())
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
        finally:
            self._streams = None
        if is_main_process():
            write_text_atomically(self.last_ckpt, os.path.join(runner.work_dir, "last_checkpoint"))
            self._remove(outdated)

    def _outdated_by(self, runner: Runner, step: int) -> list[str]:
        """Take the checkpoint of `step` among those to keep; returns the files it pushes out."""
        if self.max_keep_ckpts <= 0 or (self.keep_ckpt_ids and self.keep_ckpt_ids[-1] == step):
            return []
        pushed_out = list(self.keep_ckpt_ids)[:1] if len(self.keep_ckpt_ids) == self.max_keep_ckpts else []
        self.keep_ckpt_ids.append(step)  # a deque of that length: the oldest falls out by itself
        runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        names = [self.filename_tmpl.format(old) for old in pushed_out]
        return [self.file_backend.join_path(self.out_dir, name) for name in names]

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        backend = self.file_backend
        self.file_backend = later = _RemovesLater(backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            self.file_backend = backend
        self._remove(later.noted)

    def _remove(self, paths: Iterable[str]) -> None:
        best = [getattr(self, "best_ckpt_path", None), *getattr(self, "best_ckpt_path_dict", {}).values()]
        for path in set(paths) - {self.last_ckpt, *best}:  # one of them may have been written anew meanwhile
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

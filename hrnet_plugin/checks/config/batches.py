"""Batches: what loaders take and in which order, and what norms make of few samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.errors import nearest
from hrnet_plugin.findings import ERROR, NOTE, Finding

from .keys import join
from .lookup import arguments_of
from .run_config import RunConfig

LOADER = "data-loader"
#: Keys of loaders that mmengine takes beside torch's.
_MMENGINE = frozenset({"dataset", "sampler", "batch_sampler", "collate_fn", "worker_init_fn", "num_batch_per_epoch"})
#: Samples below which the statistics of batch norms are noisy.
_FEW = 4
#: What loaders' keys were called in earlier versions.
_EARLIER = {"samples_per_gpu": "batch_size", "workers_per_gpu": "num_workers"}


def check_loaders(run: RunConfig) -> Iterator[Finding]:
    """Data loaders: their keys, workers and samplers."""
    from torch.utils.data import DataLoader

    known = (arguments_of(DataLoader).listed | _MMENGINE) - {"self", "batch_sampler_cfg"}
    for split, key, loader in run.loaders():
        for name in sorted(set(loader) - known - {"_scope_", "disable_subprocess_warning"}):
            do = f"It is called {_EARLIER[name]} now" if name in _EARLIER else nearest(name, known - set(loader))
            yield Finding(ERROR, "unknown-argument", join(key, name), "no key of a data loader", do=do)
        if loader.get("dataset") is None:
            yield Finding(ERROR, "missing-argument", join(key, "dataset"), "nothing", "a data set")
        if loader.get("sampler") is None and loader.get("batch_sampler") is None:
            trains = split == "train"
            found = f"nothing: {'batches follow the order of the file' if trains else 'each process sees everything'}"
            level, expected = (ERROR if trains else NOTE), f"dict(type='DefaultSampler', shuffle={trains})"
            yield Finding(level, "missing-argument", join(key, "sampler"), found, expected)
        yield from _workers(key, loader)
        yield from _sampler(run, split, key, loader)
        yield from _sizes(run, split, key, loader)


def _workers(key: str, loader: Mapping[str, Any]) -> Iterator[Finding]:
    workers, size = loader.get("num_workers", 0), loader.get("batch_size", 1)
    if not isinstance(workers, int) or workers < 0:
        yield Finding(ERROR, LOADER, join(key, "num_workers"), repr(workers), "0, or a number of processes")
    if workers == 0 and loader.get("persistent_workers"):
        do = "Without worker processes, none can persist"
        yield Finding(ERROR, LOADER, join(key, "persistent_workers"), "True with num_workers=0", "False", do)
    if workers == 0 and loader.get("prefetch_factor") is not None:
        yield Finding(ERROR, LOADER, join(key, "prefetch_factor"), "a value with num_workers=0", "None")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        yield Finding(ERROR, LOADER, join(key, "batch_size"), repr(size), "a whole number of at least 1")


def _sampler(run: RunConfig, split: str, key: str, loader: Mapping[str, Any]) -> Iterator[Finding]:
    sampler = loader.get("sampler")
    if not isinstance(sampler, Mapping):
        return
    where, name = join(key, "sampler"), type_name(sampler)
    endless = name == "InfiniteSampler"
    if endless and (split != "train" or (run.loop and run.loop.by_epoch)):
        what = "an epoch never ends" if split == "train" else "the evaluation never ends"
        yield Finding(ERROR, LOADER, join(where, "type"), f"InfiniteSampler, with which {what}", "'DefaultSampler'")
    if split == "train" and sampler.get("shuffle", True) is False:
        do = "Neighbours in a file resemble each other, and batches then do, too"
        yield Finding(NOTE, LOADER, join(where, "shuffle"), "False in the training", "True", do)


def _sizes(run: RunConfig, split: str, key: str, loader: Mapping[str, Any]) -> Iterator[Finding]:
    """Segmentation evaluates whole images, whose sizes differ where the proportions are kept."""
    if split == "train" or not run.is_segmentation or loader.get("batch_size", 1) == 1:
        return
    preprocessor = run.model.get("data_preprocessor") or {}
    for dataset in run.datasets_of(split):
        keeps = any(node.get("keep_ratio") for _, node in dataset.transforms("Resize"))
        if keeps and not preprocessor.get("test_cfg"):
            do = "Images of different proportions then have different sizes, and mmseg refuses them in one batch"
            yield Finding(NOTE, LOADER, join(key, "batch_size"), str(loader["batch_size"]), "1 for such images", do)
            return


def check_batch_norms(run: RunConfig) -> Iterator[Finding]:
    """What norms see of a batch in one process, and how many processes the learning rate was made for."""
    size = run.get("train_dataloader.batch_size", 1)
    if run.get("train_dataloader") is None or not isinstance(size, int):
        return
    kinds = {type(module).__name__ for module in run.network.parts.modules()}
    trains_norms = not run.get("model.backbone.norm_eval")
    batch_norms = kinds & {"BatchNorm2d", "SyncBatchNorm", "_BatchNormXd"}
    if size == 1 and batch_norms and trains_norms:
        do = "Batch norms then learn the statistics of single images: take more, accumulating does not help, or use GN"
        yield Finding(NOTE, "batch-size", "train_dataloader.batch_size", "1 with batch norms", "at least 2", do)
    elif 1 < size < _FEW and "SyncBatchNorm" in kinds and trains_norms:
        do = "Norms see the samples of all processes; of a single one, these alone"
        yield Finding(NOTE, "batch-size", "train_dataloader.batch_size", f"{size} with SyncBN", do=do)
    base = run.get("auto_scale_lr.base_batch_size")
    if isinstance(base, int) and base > 0 and base != size and not run.get("auto_scale_lr.enable"):
        times = f"{base // size} processes of {size}" if base % size == 0 else f"{base} samples in a step"
        found = f"{size}, where the learning rate is made for {times}"
        do = "With fewer processes, `hrnet train --auto-scale-lr` scales it"
        yield Finding(NOTE, "batch-size", "train_dataloader.batch_size", found, do=do)

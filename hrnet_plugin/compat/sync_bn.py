"""SyncBatchNorm on the CPU.

What broke: torch has synchronised batch norm for accelerators only; a model with SyncBN in a process group, even of
one process, stops with `SyncBatchNorm expected input tensor to be on GPU`, and DistributedDataParallel refuses to
wrap one: `SyncBatchNorm layers only work with GPU modules`. mmengine reverts it to batch norm only where nothing is
distributed. Since torch 1.1.
Detected: the refusals are among the constants of the two methods.
Done: tensors on the CPU in a group that reaches it (gloo, mpi) are normalised with statistics gathered from all
processes, with gradients to match (`all_reduce_norm`), and the wrapper lets such models pass. Class, parameters and
keys stay; other tensors and other groups take torch's own path.
"""

from __future__ import annotations

import functools
from types import FunctionType, ModuleType

from .fix import AfterImport, Finding


def _refuses(method: FunctionType, words: str) -> bool:
    return any(isinstance(constant, str) and words in constant for constant in method.__code__.co_consts)


def _detect(batchnorm: ModuleType) -> Finding:
    if _refuses(batchnorm.SyncBatchNorm.forward, "SyncBatchNorm expected input tensor to be on"):
        return Finding(True, "torch's SyncBatchNorm refuses CPU tensors: they are normalised over gloo")
    return Finding(False, "this torch's SyncBatchNorm takes CPU tensors")


def _act(batchnorm: ModuleType) -> None:
    norm = batchnorm.SyncBatchNorm
    forward = norm.forward

    @functools.wraps(forward)
    def forward_anywhere(self, input):
        if input.device.type == "cpu" and self.training:
            from . import all_reduce_norm

            group = all_reduce_norm.cpu_group(self.process_group)
            if group is not None:
                return all_reduce_norm.forward(self, input, group)
        return forward(self, input)

    norm.forward = forward_anywhere


def _detect_wrapper(distributed: ModuleType) -> Finding:
    wrapper = distributed.DistributedDataParallel
    if _refuses(wrapper._passing_sync_batchnorm_handle, "SyncBatchNorm layers only work with GPU modules"):
        return Finding(True, "torch's wrapper refuses SyncBatchNorm on the CPU: it is let through with gloo")
    return Finding(False, "this torch's wrapper takes SyncBatchNorm on the CPU")


def _act_on_wrapper(distributed: ModuleType) -> None:
    wrapper = distributed.DistributedDataParallel
    check = wrapper._passing_sync_batchnorm_handle

    @functools.wraps(check)
    def check_groups(self, module):
        from . import all_reduce_norm

        if self.device_type != "cpu" or all_reduce_norm.cpu_group(self.process_group) is None:
            check(self, module)

    wrapper._passing_sync_batchnorm_handle = check_groups


FIX = AfterImport(
    name="sync-bn-on-cpu",
    breakage="SyncBatchNorm expected input tensor to be on GPU, with --launcher on CPU",
    since="torch 1.1",
    target="torch.nn.modules.batchnorm",
    detect=_detect,
    act=_act,
)

FIX_WRAPPER = AfterImport(
    name="sync-bn-in-ddp",
    breakage="SyncBatchNorm layers only work with GPU modules, with --launcher on CPU",
    since="torch 1.1",
    target="torch.nn.parallel.distributed",
    detect=_detect_wrapper,
    act=_act_on_wrapper,
)

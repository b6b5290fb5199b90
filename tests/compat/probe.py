"""Does, one after the other, what upstream broke, and prints what came of it as one line of JSON.

Run as a script; modules named as arguments are imported first. Each probe is a function of this file whose name
starts with `probe_`; its docstring says which file of `hrnet_plugin/compat` it is about.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace


def probe_mmcv_import() -> str:
    """mmcv_ext"""
    import mmcv.ops

    return mmcv.ops.__name__


def probe_mmcv_environment() -> str:
    """mmcv_ext"""
    from mmcv.ops import get_compiler_version

    return get_compiler_version()


def probe_mmcv_call() -> None:
    """mmcv_ext"""
    import torch
    from mmcv.ops import nms

    nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([0.5]), 0.5)


def probe_torchvision_import() -> str:
    """torchvision_ops"""
    import torchvision

    return torchvision.transforms.ToPILImage.__name__


def probe_torchvision_call() -> None:
    """torchvision_ops"""
    import torch

    torch.ops.torchvision.nms(torch.zeros(2, 4), torch.zeros(2), 0.5)


def probe_torchvision_trace() -> list:
    """torchvision_ops"""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    with FakeTensorMode(shape_env=ShapeEnv(allow_dynamic_output_shape_ops=True)):
        kept = [torch.ops.torchvision.nms(torch.zeros(2, 4), torch.zeros(2), 0.5) for _ in range(2)]
    return [f"{tensor.dim()}-d {tensor.dtype}" for tensor in kept]


def probe_pkg_resources() -> list:
    """package_resources"""
    from mmengine.utils import get_installed_path, is_installed
    from mmengine.utils.package_utils import package2module

    return [
        Path(get_installed_path("mmengine")).name,
        package2module("mmsegmentation"),
        is_installed("mmpose"),
        is_installed("surely_no_such_package"),
    ]


def probe_checkpoint_round_trip() -> list:
    """allow_list"""
    import numpy
    import torch
    from mmengine.logging import MessageHub
    from mmengine.runner.checkpoint import load_checkpoint

    hub = MessageHub("saved")
    for value in (3.0, 1.0, 2.0):
        hub.update_scalar("train/loss", value, 4)
    hub.update_info("best", numpy.float32(0.5))
    model = torch.nn.Linear(2, 1)
    meta = {"sigmas": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "epoch": 1}
    torch.save({"state_dict": model.state_dict(), "message_hub": hub.state_dict(), "meta": meta}, "own.pth")
    loaded = load_checkpoint(torch.nn.Linear(2, 1), "own.pth", map_location="cpu")
    resumed = MessageHub("loaded")
    resumed.load_state_dict(loaded["message_hub"])
    history, sigmas = resumed.get_scalar("train/loss"), loaded["meta"]["sigmas"]
    return [
        [type(history).__name__, *(part.tolist() for part in history.data)],
        [history.statistics("min"), history.statistics("max"), history.statistics("current"), float(history.mean())],
        [type(sigmas).__name__, sigmas.dtype.name, sigmas.tolist()],
        [type(resumed.get_info("best")).__name__, float(resumed.get_info("best"))],
    ]


class _Touch:
    """Creates a file when it is unpickled by a loader that lets it."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def probe_download() -> bool:
    """checkpoint_reading: a file that lies in the download cache already, so nothing is fetched."""
    import torch
    from mmengine.runner.checkpoint import load_from_http

    Path("cache").mkdir()
    torch.save({"state_dict": {}, "payload": _Touch("ran_from_download")}, "cache/evil.pth")
    try:
        load_from_http("https://example.invalid/evil.pth", model_dir="cache")
    finally:
        ran = Path("ran_from_download").exists()
        Path("ran_from_download").rmdir() if ran else None
    return ran


def probe_resume_text() -> bool:
    """checkpoint_reading: Runner.resume runs the text under meta['config'], before it looks at anything else."""
    import torch
    from mmengine.runner import Runner
    from mmengine.runner.checkpoint import CheckpointLoader

    text = "made = __import__('os').mkdir('ran_from_config')\ngpu_ids = [0]\n"
    torch.save({"state_dict": {}, "meta": {"config": text, "epoch": 1, "iter": 2}}, "text.pth")
    runner = SimpleNamespace(
        load_checkpoint=CheckpointLoader.load_checkpoint, train_loop=SimpleNamespace(), _world_size=1
    )
    with contextlib.suppress(AttributeError):
        Runner.resume(runner, "text.pth", map_location="cpu")
    return Path("ran_from_config").exists()


def probe_malicious_checkpoint() -> None:
    """checkpoint_reading"""
    import torch
    from mmengine.runner.checkpoint import CheckpointLoader

    torch.save({"state_dict": {}, "payload": _Touch("ran_from_file")}, "evil.pth")
    CheckpointLoader.load_checkpoint("evil.pth", "cpu")


def probe_launch() -> str:
    """launchers"""
    import torch.distributed as dist
    from mmengine.dist import get_backend, init_dist

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    init_dist("pytorch", backend="nccl")
    backend = get_backend()
    dist.destroy_process_group()
    return backend


def _in_group(work):
    import gc
    import importlib

    import torch.distributed as dist

    importlib.import_module("torch.distributed.nn.functional")  # imported later, it would keep the group for ever
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        return work()
    finally:
        gc.collect()
        dist.destroy_process_group()


def probe_wrap() -> str:
    """ddp_on_cpu"""
    import torch
    from mmengine.model import MMDistributedDataParallel

    model = torch.nn.Linear(2, 1)
    wrapped = _in_group(lambda: MMDistributedDataParallel(model, device_ids=[0], broadcast_buffers=False))
    return str(wrapped.device_ids)


def probe_wrap_quietly() -> str:
    """ddp_buffers"""
    import torch
    from mmengine.model import MMDistributedDataParallel

    wrapped = _in_group(lambda: MMDistributedDataParallel(torch.nn.Linear(2, 1), broadcast_buffers=False))
    return type(wrapped).__name__


def probe_wrap_sync_bn() -> list:
    """sync_bn"""
    import torch

    model = torch.nn.SyncBatchNorm(3)
    _in_group(lambda: torch.nn.parallel.DistributedDataParallel(model))
    return sorted(model.state_dict())


def probe_sync_bn() -> float:
    """sync_bn"""
    import torch

    model, plain = torch.nn.SyncBatchNorm(3), torch.nn.BatchNorm2d(3)
    batch = torch.randn(4, 3, 5, 5)
    return float((_in_group(lambda: model(batch)) - plain(batch)).detach().abs().max())


def probe_amp() -> list:
    """cpu_amp"""
    import torch
    from mmengine.optim import AmpOptimWrapper

    model = torch.nn.Linear(4, 1)
    start = model.weight.detach().clone()
    wrapper = AmpOptimWrapper(loss_scale="dynamic", optimizer=torch.optim.SGD(model.parameters(), lr=0.5))
    with wrapper.optim_context(model):
        output = model(torch.ones(2, 4))
    wrapper.update_params(output.float().mean())
    state = wrapper.state_dict()
    wrapper.load_state_dict(state)
    return [str(output.dtype), [round(float(step), 6) for step in (start - model.weight.detach()).flatten()]]


def probe_grad_scaler() -> bool:
    """grad_scaler"""
    from mmengine.optim.optimizer import amp_optimizer_wrapper

    return amp_optimizer_wrapper.GradScaler(enabled=False).is_enabled()


def probe_framework_bases() -> bool:
    """framework_bases: whether a metafile is read twice"""
    from mmengine.config import utils

    Path("metafile.yml").write_text("Models: []")
    return utils.load("metafile.yml") is not utils.load("metafile.yml")


def probe_albumentations_update() -> list:
    """albumentations_update: whether its import looks for a newer version"""
    asked = []
    package = Path("look_alike/albumentations")
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import os\nfrom probed import asked\n"
        "if os.getenv('NO_ALBUMENTATIONS_UPDATE', '').lower() not in {'true', '1'}:\n    asked.append('asked')\n"
    )
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "albumentations"}
    sys.modules["probed"] = SimpleNamespace(asked=asked)
    sys.path.insert(0, "look_alike")
    try:
        importlib.import_module("albumentations")
    finally:
        sys.path.remove("look_alike")
        del sys.modules["probed"], sys.modules["albumentations"]
        sys.modules.update(before)
    return asked


def probe_to_numpy() -> list:
    """bf16_to_numpy"""
    import torch
    from mmpose.utils.tensor_utils import to_numpy

    array = to_numpy(torch.tensor([1.5, -2.0], dtype=torch.bfloat16))
    pair = to_numpy((torch.ones(2, 1, dtype=torch.bfloat16), torch.ones(2, 1)), unzip=True)
    return [array.dtype.name, array.tolist(), [[part.tolist() for part in each] for each in pair]]


def main(first: list[str]) -> None:
    for name in first:
        importlib.import_module(name)
    found = {}
    for name, probe in list(globals().items()):
        if name.startswith("probe_"):
            found[name.removeprefix("probe_")] = _run(probe)
    print(json.dumps(found))


def _run(probe) -> dict:
    row = {"result": None, "error": None}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            row["result"] = probe()
        except BaseException as error:
            row["error"] = f"{type(error).__name__}: {error}"
    row["warnings"] = [f"{warning.category.__name__}: {warning.message}" for warning in seen]
    return row


if __name__ == "__main__":
    main(sys.argv[1:])

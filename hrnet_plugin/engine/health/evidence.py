"""What is kept of a fault: the batch, the last good weights, and a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.runner.checkpoint import weights_to_cpu
from torch import nn

from hrnet_plugin.checkpoints.atomic import save_or_tell
from hrnet_plugin.checkpoints.loading.same_keys import spec_of_network
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.errors import CheckpointError

from .batch import plain_batch
from .culprit import Finding
from .fault import Fault

_DO = "Make room; training is where it was before this batch"


def write_evidence(
    folder: Path, fault: Fault, action: str, network: nn.Module, batch: object, own: Finding, whole: bool
) -> str:
    """Writes the files of a fault, each as a whole; the first rank writes all but the batches of the others.

    Args:
        folder: A folder of this fault's own.
        fault: What is told in the report.
        action: What becomes of the batch, in words.
        network: Not wrapped, its state put back.
        batch: This rank's.
        own: What this rank found.
        whole: Write batch and weights, too, and not the report alone.

    Returns:
        Why something could not be written; '' where everything was.
    """
    several = len(fault.findings) > 1
    batch_name = f"batch_rank{own.rank}.pth" if several else "batch.pth"
    files = {}
    try:
        if whole:
            save_or_tell({"images": list(own.names), "batch": plain_batch(batch)}, folder / batch_name, "batch", _DO)
            others = "; each rank wrote its own" if several else ""
            files[batch_name] = f"the batch as the network got it, with the paths of its images{others}"
        if not is_main_process():
            return ""
        if whole:
            save_or_tell(_checkpoint(network, fault), folder / "weights.pth", "weights", _DO)
            files["weights.pth"] = "the weights before this batch, to start from with load_from, or to test"
        report = {**fault.to_plain(), "action": action, "files": ["report.txt", *files]}
        text = fault.text(action, files)
        save_or_tell(json.dumps(report, indent=1).encode(), folder / "report.json", "report", _DO)
        save_or_tell(text.encode(), folder / "report.txt", "report", _DO)
    except CheckpointError as error:  # a full disk must not hide the fault itself
        return str(error)
    return ""


def _checkpoint(network: nn.Module, fault: Fault) -> Mapping[str, object]:
    spec = spec_of_network(network)
    meta = {"iter": fault.iteration - 1, "epoch": fault.epoch - 1}
    return {
        "meta": meta if spec is None else {**meta, **describe_network(spec)},
        "state_dict": weights_to_cpu(network.state_dict()),
    }

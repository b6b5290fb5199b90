"""Whether a launcher has started this training anew."""

from __future__ import annotations

import os

#: How often torchrun has started the processes anew, and Slurm the job. Whether machines may come and go: that starts
#: them anew, too, and torchrun does not count it.
_SIGNS = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT", "HRNET_ELASTIC")


def was_restarted() -> bool:
    """Whether torchrun has started the processes anew, or Slurm the job, or either may be so (`HRNET_ELASTIC`)."""
    return any(os.environ.get(name, "0") not in ("", "0") for name in _SIGNS)

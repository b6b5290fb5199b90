"""How far a training has come, as a checkpoint says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from hrnet_plugin.errors import CheckpointError


@dataclass(frozen=True)
class TrainingPosition:
    """How far a training has come, and with what batches.

    Args:
        batches: That this pass over the data has seen on each process; in a training by iterations, all since the
            beginning.
        validated: Whether the validation that was due here is done.
        world_size: Processes.
        batch_size: Samples a process and batch.
        accumulative_counts: Batches an update.
        dataset_size: Samples in the data set.
    """

    batches: int
    validated: bool
    world_size: int
    batch_size: int
    accumulative_counts: int
    dataset_size: int

    @property
    def step_samples(self) -> int:
        """Samples that all processes see at a step."""
        return self.world_size * self.batch_size

    @property
    def update_samples(self) -> int:
        """Samples that an update of the weights follows from."""
        return self.step_samples * self.accumulative_counts

    def to_plain(self) -> dict[str, int | bool]:
        """As plain values, which a safe load accepts."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: object) -> TrainingPosition:
        """Reads what :meth:`to_plain` gave.

        Raises:
            CheckpointError: it is not of that form; a checkpoint may come from anywhere.
        """
        expected = {field.name: bool if field.name == "validated" else int for field in fields(cls)}
        is_sound = isinstance(plain, Mapping) and plain.keys() == expected.keys()
        least = {"batches": 0, "validated": False}
        if not is_sound or any(
            type(plain[name]) is not kind or plain[name] < least.get(name, 1) for name, kind in expected.items()
        ):
            raise CheckpointError(
                "checkpoint, 'training_position'",
                found=repr(plain)[:200],
                expected=", ".join(expected),
                do="It was not written by this project: take the entry out, or another checkpoint",
            )
        return cls(**plain)

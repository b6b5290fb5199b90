"""How far a training has come, as a checkpoint says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

from hrnet_plugin.errors import CheckpointError

#: Smallest values of the numbers that every checkpoint of this project has.
_LEAST = {"batches": 0, "world_size": 1, "batch_size": 1, "accumulative_counts": 1, "dataset_size": 1}
#: What the first ones do not have yet.
_LATER = ("sampler_seed", "parts")


@dataclass(frozen=True)
class TrainingPosition:
    """How far a training has come, and with what batches.

    Args:
        batches: That this pass over the data has seen on each process; in a training by iterations, all since the
            beginning. Counted as if all had been of the size of those since the last resume.
        validated: Whether the validation that was due here is done.
        world_size: Processes.
        batch_size: Samples a process and batch.
        accumulative_counts: Batches an update; the most of any, where there are several optimizers.
        dataset_size: Samples in the data set.
        sampler_seed: Which the order of the samples follows from, where the sampler has one.
        parts: Of several optimizers, by name: batches an update, and batches so far.
    """

    batches: int
    validated: bool
    world_size: int
    batch_size: int
    accumulative_counts: int
    dataset_size: int
    sampler_seed: int | None = None
    parts: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def step_samples(self) -> int:
        """Samples that all processes see at a step."""
        return self.world_size * self.batch_size

    @property
    def update_samples(self) -> int:
        """Samples that an update of the weights follows from."""
        return self.step_samples * self.accumulative_counts

    @property
    def ends_pass(self) -> bool:
        """Whether a pass over the data ends here, as far as numbers tell."""
        return self.batches * self.step_samples >= self.dataset_size

    def update_samples_of(self, part: str) -> int:
        """Samples that an update by one of several optimizers follows from; '' is the only one."""
        return self.step_samples * (self.parts[part][0] if part in self.parts else self.accumulative_counts)

    def words(self) -> str:
        """The batches, as a message names them: processes x samples x batches an update."""
        words = f"{self.world_size} x {self.batch_size}"
        if self.accumulative_counts == 1:
            return words
        by_part = ", ".join(f"{name} {counts[0]}" for name, counts in self.parts.items())
        return f"{words} x ({by_part})" if by_part else f"{words} x {self.accumulative_counts}"

    def to_plain(self) -> dict[str, object]:
        """As plain values, which a safe load accepts."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: object) -> TrainingPosition:
        """Reads what :meth:`to_plain` gave, now or before there were `sampler_seed` and `parts`.

        Raises:
            CheckpointError: it is not of that form; a checkpoint may come from anywhere.
        """
        if not _is_sound(plain):
            raise CheckpointError(
                "checkpoint, 'training_position'",
                found=repr(plain)[:200],
                expected=", ".join(field.name for field in fields(cls)),
                do="It was not written by this project: take the entry out, or another checkpoint",
            )
        return cls(**plain)


def _is_sound(plain: object) -> bool:
    names = {*_LEAST, "validated"}
    if not isinstance(plain, Mapping) or not names <= plain.keys() <= {*names, *_LATER}:
        return False
    seed, parts = plain.get("sampler_seed"), plain.get("parts", {})
    return (
        type(plain["validated"]) is bool
        and all(_is_number(plain[name], least) for name, least in _LEAST.items())
        and (seed is None or type(seed) is int)
        and isinstance(parts, Mapping)
        and all(isinstance(name, str) and _are_counts(counts) for name, counts in parts.items())
    )


def _are_counts(counts: object) -> bool:
    return isinstance(counts, (list, tuple)) and len(counts) == 2 and all(map(_is_number, counts, (1, 0)))


def _is_number(value: object, least: int) -> bool:
    return type(value) is int and value >= least

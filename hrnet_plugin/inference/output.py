"""The folder that receives results: what lies where, and that nothing of anybody else is written over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..disk import PARTIAL, write_whole
from ..errors import ConfigError

RESULTS, KEYPOINT_RESULTS, JOURNAL = "results.json", "keypoint_results.json", "journal.jsonl"
PICTURES, MASKS, VIDEOS = OWN_FOLDERS = ("pictures", "masks", "videos")


class Output:
    """A folder of results.

    Args:
        folder: It is made when the first file is written.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).expanduser().absolute()

    @property
    def journal(self) -> Path:
        """Where a run notes what it has finished."""
        return self.folder / JOURNAL

    def check_free(self) -> None:
        """Raises:
        ConfigError: no run's journal is there, but files under the names of results.
        """
        taken = [name for name in (RESULTS, KEYPOINT_RESULTS, *OWN_FOLDERS) if (self.folder / name).exists()]
        if taken and not self.journal.exists():
            raise ConfigError(
                f"--out {self.folder}",
                found=f"{taken[0]} that no `hrnet infer` wrote",
                expected="a folder of an earlier run, or one without such names",
                do="Name another --out; --overwrite writes over it",
            )

    def sweep(self) -> None:
        """Takes away what a killed run left half-written; nobody else writes there meanwhile."""
        for name in OWN_FOLDERS:
            for partial in (self.folder / name).rglob(f".*{PARTIAL}*"):
                partial.unlink(missing_ok=True)

    def write(self, data: bytes, place: str, *, synced: bool = False) -> None:
        """Writes a file as a whole or not at all.

        Args:
            data: All of it.
            place: Below the folder, with slashes.
            synced: As `disk.write_whole` takes it.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            write_whole(data, self.folder / place, synced=synced)
        except OSError as error:
            raise unwritable(self.folder / place, error) from error

    def remove(self, places: Iterable[str]) -> None:
        """Removes results of an earlier run.

        Args:
            places: As the run's journal names them. One that lies elsewhere than among results is left alone.
        """
        for place in places:
            if is_result(place):
                (self.folder / place).unlink(missing_ok=True)

    def has(self, places: Iterable[str]) -> bool:
        """Whether all of these files are there and hold something."""
        paths = [self.folder / place for place in places]
        return all(path.is_file() and path.stat().st_size for path in paths)


def is_result(place: str) -> bool:
    """Whether a place that a journal names lies among results, and not elsewhere on the disk."""
    parts = Path(place).parts
    return len(parts) > 1 and parts[0] in OWN_FOLDERS and ".." not in parts


def unwritable(path: Path, error: OSError) -> ConfigError:
    """The error for a file that cannot be written; what was finished before stays."""
    return ConfigError(
        f"--out: file {path}",
        found=error.strerror or str(error),
        expected="a file that can be written",
        do="Make room or name another --out; the same call goes on from what is finished",
    )


def stems_of(names: Iterable[str], finished: Mapping[str, str] | None = None) -> dict[str, str]:
    """For each input the name of its results, less their suffix; no two are the same, not even on a file system that
    knows no capitals.

    Args:
        names: Of all inputs.
        finished: The stems of those that have results by now, which they keep.

    >>> stems_of(["a/x.jpg", "a/x.png", "b/x.jpg"])
    {'a/x.jpg': 'a/x', 'a/x.png': 'a/x.png', 'b/x.jpg': 'b/x'}
    """
    found = dict(finished or {})
    taken = {stem.casefold() for stem in found.values()}
    names = list(names)
    for name in names:
        if name in found:
            continue
        folder, _, file = name.rpartition("/")
        short = f"{folder}/{Path(file).stem}".lstrip("/")
        numbered = (f"{name}_{number}" for number in range(2, len(found) + 3))
        found[name] = next(stem for stem in (short, name, *numbered) if stem.casefold() not in taken)
        taken.add(found[name].casefold())
    return {name: found[name] for name in names}

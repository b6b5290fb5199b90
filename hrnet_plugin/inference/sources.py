"""Which images and videos are meant: files, folders with all that lies below them, and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..engine.image_files import IMAGE_SUFFIXES
from ..errors import DataError
from .output import JOURNAL, OWN_FOLDERS

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


@dataclass(frozen=True)
class Source:
    """An image or a video.

    Args:
        path: Absolute.
        name: Its place below the folder that was given, with slashes; of several folders with the folder's name before
            it, or as much of the path as tells them apart. No other one of a run has this name.
    """

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """By its suffix."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def find_sources(given: Sequence[str | Path], out: str | Path) -> list[Source]:
    """All images and videos that are meant, each once: as they are given, and sorted within a folder or a pattern.

    Args:
        given: Files, folders, and patterns (`shots/**/*.jpg`). Hidden files are passed over, and of a folder or
            pattern all that is neither image nor video.
        out: Where results go: pictures that an earlier run wrote there are passed over.

    Raises:
        DataError: no such file, a folder without images, a pattern that nothing matches, a picture of an earlier
            run, or one of the user's own that lies where results go.
    """
    found: dict[Path, None] = {}
    roots: list[Path] = []
    own = Path(os.path.abspath(Path(out).expanduser()))
    for one in given:
        paths, root = _found(str(one), own)
        found.update(dict.fromkeys(paths))
        roots.append(root)
    name_of = _naming(list(dict.fromkeys(roots)))
    return [Source(path, name_of(path)) for path in found]


def _found(given: str, out: Path) -> tuple[list[Path], Path]:
    """The files that an argument means, and the folder below which they have their names."""
    path = Path(os.path.abspath(Path(given).expanduser()))
    if os.path.isdir(path):
        return _in_folder(given, path, out), path
    if os.path.isfile(path):
        if _is_own(path, path.parent, out):
            raise DataError(f"input {given}", found="a picture that lies among the results", do="Name another --out")
        return [path], path.parent
    if not glob.has_magic(given):
        raise DataError(f"input {given}", found="no such file or folder", expected="an image, a video, or a folder")
    root = _before_magic(path)
    matches = sorted(Path(os.path.abspath(match)) for match in glob.glob(str(path), recursive=True))
    files = [file for match in matches for file in (_walk(match) if match.is_dir() else [match])]
    files = [file for file in dict.fromkeys(files) if _is_wanted(file) and not _is_own(file, root, out)]
    if not files:
        raise DataError(f"input {given}", found="nothing of this pattern", expected=_expected())
    return files, root


def _in_folder(given: str, folder: Path, out: Path) -> list[Path]:
    files = [file for file in _walk(folder) if _is_wanted(file) and not _is_own(file, folder, out)]
    if not files:
        raise DataError(f"input {given}", found="a folder without images", expected=_expected())
    return files


def _walk(folder: Path) -> list[Path]:
    """All files below a folder, sorted; hidden folders are passed over."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files]
    return sorted(found)


def _is_wanted(file: Path) -> bool:
    known = file.suffix.lower() in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
    return known and not file.name.startswith(".") and file.is_file()


def _is_own(file: Path, root: Path, out: Path) -> bool:
    """Whether a file below `root` is a result: all that lies in a folder of results inside of it, else its pictures.

    Raises:
        DataError: it lies where results go, and no run wrote it.
    """
    if out != root and root in out.parents:
        return out in file.parents
    folder = next((name for name in OWN_FOLDERS if out / name in file.parents), None)
    if folder and not (out / JOURNAL).exists():
        raise DataError(
            f"input {file}",
            found=f"a file of your own in {folder}/, where the results of --out {out} go",
            do="Name another --out",
        )
    return folder is not None


def _before_magic(pattern: Path) -> Path:
    parts = [*pattern.parents][::-1]
    return next((part.parent for part in parts if glob.has_magic(part.name)), pattern.parent)


def _naming(roots: Sequence[Path]) -> Callable[[Path], str]:
    """How files below these folders are called, so that no two of them are called the same."""
    if len(roots) == 1:
        return lambda path: path.relative_to(roots[0]).as_posix()
    nested = any(one in other.parents for one in roots for other in roots)
    if not nested and len({root.name.casefold() for root in roots}) == len(roots):
        owners = {root: root.parent for root in roots}
        return lambda path: path.relative_to(next(owners[one] for one in path.parents if one in owners)).as_posix()
    try:
        common = Path(os.path.commonpath(roots))
    except ValueError:  # several drives
        return lambda path: path.relative_to(path.anchor).as_posix()
    return lambda path: path.relative_to(common).as_posix()


def _expected() -> str:
    return f"files ending with {', '.join((*IMAGE_SUFFIXES, *VIDEO_SUFFIXES))}"

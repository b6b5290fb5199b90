"""Finding the user's mistake in what the frameworks raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hrnet_plugin.errors import MissingDependency, UserError

if TYPE_CHECKING:
    from mmengine.config import Config

_WORKER = "Original Traceback (most recent call last):"


def find_user_error(error: BaseException) -> UserError | None:
    """The innermost wrong input in a chain of exceptions, or None where the chain holds none."""
    found: UserError | None = None
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, UserError):
            found = current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return found and _as_raised(found)


@contextmanager
def explained(cfg: Config) -> Iterator[None]:
    """Turn what goes wrong inside into a :class:`UserError` where the cause is in the input.

    Args:
        cfg: The config of the run, to look for the cause in its files.

    Raises:
        UserError: for a known mistake. Anything else passes unchanged, since it is a defect that needs its trace.
    """
    try:
        yield
    except Exception as error:
        if find_user_error(error) is not None:
            raise
        from .known_errors import explain

        mistake = explain(error, cfg)
        if mistake is None:
            raise
        raise mistake from error


def missing_package(error: BaseException) -> MissingDependency | None:
    """The error for a package that is not installed, or None where `error` is about something else."""
    name = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or name in ("", "hrnet_plugin"):
        return None
    return MissingDependency(
        f"package {name}", found="not installed", do="`hrnet doctor` prints the commands that install what is missing"
    )


def _as_raised(error: UserError) -> UserError:
    """The error as it was before a data-loading process passed it on: torch hands over its trace as text."""
    if _WORKER not in str(error.what):
        return error
    line = str(error.what).strip().splitlines()[-1]
    return type(error)(line.partition(": ")[2] or line)

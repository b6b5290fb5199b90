"""Finding the user's mistake in what the frameworks raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hrnet_plugin.errors import MissingDependency, find_user_error

if TYPE_CHECKING:
    from mmengine.config import Config


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

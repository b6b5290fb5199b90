"""Stands in for setuptools' `pkg_resources`: the names that mmengine, mmpose and mmpretrain use, and no more."""

from __future__ import annotations

import importlib.metadata


class DistributionNotFound(Exception):
    """No distribution of that name is installed."""


class Distribution:
    """An installed distribution, by the attributes that mmengine reads.

    Attributes:
        project_name: Its name.
        version: Its version.
        location: The folder that its packages lie in.
    """

    def __init__(self, found: importlib.metadata.Distribution):
        self._found = found
        self.project_name: str = found.metadata["Name"]
        self.key = self.project_name.lower()
        self.version = found.version
        self.location = str(found.locate_file(""))

    def has_metadata(self, name: str) -> bool:
        """Whether the metadata has a file of that name."""
        return self._found.read_text(name) is not None

    def get_metadata(self, name: str) -> str:
        """The text of one metadata file.

        Raises:
            FileNotFoundError: if there is none of that name.
        """
        text = self._found.read_text(name)
        if text is None:
            raise FileNotFoundError(f"{self.project_name} has no metadata file {name}")
        return text


def get_distribution(name: str) -> Distribution:
    """The installed distribution of that name.

    Raises:
        DistributionNotFound: if it is not installed.
    """
    try:
        return Distribution(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError as error:
        raise DistributionNotFound(f"The {name!r} distribution was not found") from error


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"pkg_resources.{name} is not in hrnet_plugin's stand-in; `pip install 'setuptools<81'` brings the real one"
    )

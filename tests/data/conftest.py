"""A small data set and a sample of scenes, made once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.data.dataset import DatasetInfo
from hrnet_plugin.data.scene import Scene, render_scene
from hrnet_plugin.data.writer import make_dataset

COUNTS = {"train": 20, "val": 12, "test": 5}


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DatasetInfo:
    """A data set of 20, 12 and 5 images."""
    root: Path = tmp_path_factory.mktemp("generated") / "people"
    return make_dataset(root, **COUNTS, seed=3, workers=2)


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """150 scenes of the split `val`."""
    return [render_scene(0, "val", index) for index in range(150)]

"""The index of the zoo: the metafiles of `configs/`, one a task, in the form of OpenMMLab's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import yaml

from ..errors import ConfigError, nearest
from ..locations import project_dir


@dataclass(frozen=True)
class Weights:
    """A file of weights that somebody has published.

    Args:
        name: By which `hrnet://NAME` asks for it.
        url: Where it was published.
        sha256: Its SHA-256 in hexadecimal digits, or the first of them: OpenMMLab writes eight into the file name.
            '' where none was published.
    """

    name: str
    url: str
    sha256: str = ""

    @property
    def file_name(self) -> str:
        """The last part of the URL, under which a copy is kept."""
        return PurePosixPath(urlparse(self.url).path).name


@dataclass(frozen=True)
class ZooModel:
    """One row of the index.

    Args:
        name: As it was published; unique.
        config: Our config file.
        upstream: The config of an installed framework that ours stands for, `mmpose::folder/name.py`; None for models
            that no framework has.
        tasks: What the published results are of, such as `Body 2D Keypoint`.
        dataset: The data set of the published results.
        differs: Keys in which ours is on purpose not what upstream has, where upstream's cannot work.
        weights: The trained weights; None where none were published.
    """

    name: str
    config: Path
    upstream: str | None
    tasks: tuple[str, ...]
    dataset: str
    differs: tuple[str, ...] = ()
    weights: Weights | None = None

    @property
    def framework(self) -> str | None:
        """The framework of the upstream config: `mmpose`, `mmseg`, `mmdet` or `mmpretrain`."""
        return self.upstream.partition("::")[0] if self.upstream else None


def read_index(configs: Path | None = None) -> tuple[ZooModel, ...]:
    """All models of the zoo, in the order of the metafiles.

    Args:
        configs: The folder of the configs; by default that of this installation.

    Raises:
        ConfigError: a metafile lacks a field, a name stands twice, or a row's results name several data sets.
    """
    configs = configs or project_dir("configs")
    models: dict[str, ZooModel] = {}
    for metafile in sorted(configs.glob("*/metafile.yml")):
        rows = yaml.safe_load(metafile.read_text(encoding="utf-8"))["Models"]
        for row in rows:
            model = _read_row(row, metafile, configs)
            if model.name in models:
                raise ConfigError(f"{metafile}: {model.name}", found="a second row of this name", expected="one")
            models[model.name] = model
    if not models:
        raise ConfigError(f"the index of the zoo in {configs}", found="no model", expected="<task>/metafile.yml")
    return tuple(models.values())


def _read_row(row: Mapping, metafile: Path, configs: Path) -> ZooModel:
    try:
        results = [(result["Task"], result["Dataset"]) for result in row["Results"]]
        name, config = row["Name"], configs.parent / row["Config"]
    except (KeyError, TypeError) as error:
        raise ConfigError(
            f"{metafile}: {row.get('Name', 'a row') if isinstance(row, Mapping) else row}",
            found=f"no {error.args[0]}" if isinstance(error, KeyError) else str(error),
            expected="Name, Config and Results with Task and Dataset",
        ) from None
    datasets = {dataset for _, dataset in results}
    if len(datasets) != 1:
        raise ConfigError(f"{metafile}: {name}", found=f"{len(datasets)} data sets", expected="one")
    tasks = tuple(task for task, _ in results)
    differs = tuple(row.get("Differs", ()))
    return ZooModel(name, config, row.get("Upstream"), tasks, datasets.pop(), differs, _read_weights(row))


def _read_weights(row: Mapping) -> Weights | None:
    url = row.get("Weights")
    return Weights(row["Name"], url, str(row.get("SHA256", ""))) if url else None


def find_model(name: str, models: tuple[ZooModel, ...] | None = None) -> ZooModel:
    """The model called `name`, or the one whose config is called so, given by name or path.

    Raises:
        ConfigError: where there is none; suggests the nearest names.
    """
    models = models or read_index()
    for model in models:
        if name == model.name:
            return model
    wanted = Path(name).name.removesuffix(".py")
    for model in models:
        if wanted == model.config.stem:
            return model
    raise ConfigError(f"model {name!r}", found="no such name in the zoo", do=nearest(name, [m.name for m in models]))


def find_weights_row(name: str, configs: Path | None = None) -> Weights:
    """The published weights called `name`: those of a model, or a backbone's that training starts from.

    Args:
        name: As in `hrnet://NAME`.
        configs: The folder of the configs; by default that of this installation.

    Raises:
        ConfigError: there are none of that name; suggests the nearest.
    """
    configs = configs or project_dir("configs")
    backbones = yaml.safe_load((configs / "_base_" / "weights" / "metafile.yml").read_text(encoding="utf-8"))["Models"]
    rows = {row["Name"]: _read_weights(row) for row in backbones}
    rows |= {model.name: model.weights for model in read_index(configs) if model.weights}
    if name not in rows:
        raise ConfigError(f"weights {name!r}", found="no such name in the zoo", do=nearest(name, rows))
    return rows[name]

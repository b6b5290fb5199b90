"""The index of the zoo: the metafiles of `configs/`, one a task, in the form of OpenMMLab's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

from ..errors import ConfigError, nearest
from ..locations import project_dir
from .metafile import WEIGHTS_FIELDS, load_metafile


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
class Result:
    """What somebody measured a model to do.

    Args:
        task: Such as `Body 2D Keypoint`.
        dataset: The data set that it was measured on.
        metrics: Numbers by name, as they were published.
        boxes: Whose boxes the people were cut out by, where there are results for both: `detected` or `ground truth`.
    """

    task: str
    dataset: str
    metrics: Mapping[str, float] = field(hash=False)  # models are looked up by hash, and a dict has none
    boxes: str = ""


@dataclass(frozen=True)
class ZooModel:
    """One row of the index.

    Args:
        name: As it was published; unique.
        config: Our config file.
        upstream: The config of an installed framework that ours stands for, `mmpose::folder/name.py`; None for models
            that no framework has.
        tasks: What the published results are of, such as `Body 2D Keypoint`.
        dataset: The data set of the published results, which the config validates on; of several, the first.
        differs: Keys in which ours is on purpose not what upstream has, where upstream's cannot work.
        weights: The trained weights; None where none were published.
        family: The row of `Collections` to which it belongs.
        results: What was published of it.
        metadata: `Training Data`; `Parameters` and `MACs (10^9)` at `Input Size`, which are computed; `Counted` where
            the multiply-accumulates are not those of the whole model; `Published Complexity`.
        source: Where the results stand.
        remark: What a reader of the row must know; '' where there is nothing.
    """

    name: str
    config: Path
    upstream: str | None
    tasks: tuple[str, ...]
    dataset: str
    differs: tuple[str, ...] = ()
    weights: Weights | None = None
    family: str = ""
    results: tuple[Result, ...] = ()
    metadata: Mapping = field(default_factory=dict, hash=False)
    source: str = ""
    remark: str = ""

    @property
    def framework(self) -> str | None:
        """The framework of the upstream config: `mmpose`, `mmseg`, `mmdet` or `mmpretrain`."""
        return self.upstream.partition("::")[0] if self.upstream else None

    @property
    def config_name(self) -> str:
        """The config's path from the project's root, as the index writes it."""
        return Path("configs", *self.config.parts[-3:]).as_posix()


def metafiles(configs: Path | None = None) -> list[Path]:
    """The metafiles of the index, one a task; those that `model-index.yml` imports.

    Args:
        configs: The folder of the configs; by default that of this installation.
    """
    return sorted((configs or project_dir("configs")).glob("*/metafile.yml"))


def read_index(configs: Path | None = None) -> tuple[ZooModel, ...]:
    """All models of the zoo, in the order of the metafiles.

    Args:
        configs: The folder of the configs; by default that of this installation.

    Raises:
        ConfigError: a metafile cannot be read, a row lacks a field, or a name stands twice.
    """
    configs = configs or project_dir("configs")
    models: dict[str, ZooModel] = {}
    for metafile in metafiles(configs):
        for row in load_metafile(metafile)["Models"]:
            model = _read_row(row, configs)
            if model.name in models:
                raise ConfigError(
                    f"{metafile}: {model.name}", found="a second row of this name", expected="one", do="Rename it"
                )
            models[model.name] = model
    if not models:
        raise ConfigError(f"the index of the zoo in {configs}", found="no model", expected="<task>/metafile.yml")
    return tuple(models.values())


def _read_row(row: Mapping, configs: Path) -> ZooModel:
    results = tuple(
        Result(result["Task"], result["Dataset"], dict(result["Metrics"]), result.get("Boxes", ""))
        for result in row["Results"]
    )
    return ZooModel(
        name=row["Name"],
        config=configs.parent / row["Config"],
        upstream=row.get("Upstream"),
        tasks=tuple(dict.fromkeys(result.task for result in results)),
        dataset=results[0].dataset,
        differs=tuple(row.get("Differs", ())),
        weights=_read_weights(row),
        family=row["In Collection"],
        results=results,
        metadata=row["Metadata"],
        source=row.get("Source", ""),
        remark=row.get("Remark", ""),
    )


def _read_weights(row: Mapping) -> Weights | None:
    url = row.get("Weights")
    return Weights(row["Name"], url, row.get("SHA256", "")) if url else None


def read_short_names(configs: Path | None = None) -> dict[str, dict[str, str]]:
    """The configs beside the index: by path below `configs/`, the `Model` that each is, or `About`, what it is for.

    Args:
        configs: The folder of the configs; by default that of this installation.
    """
    from .yaml_text import from_yaml

    file = (configs or project_dir("configs")) / "short_names.yml"
    return from_yaml(file.read_text(encoding="utf-8"))


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
    backbones = load_metafile(configs / "_base_" / "weights" / "metafile.yml", WEIGHTS_FIELDS)["Models"]
    rows = {row["Name"]: _read_weights(row) for row in backbones}
    rows |= {model.name: model.weights for model in read_index(configs) if model.weights}
    if name not in rows:
        raise ConfigError(f"weights {name!r}", found="no such name in the zoo", do=nearest(name, rows))
    return rows[name]

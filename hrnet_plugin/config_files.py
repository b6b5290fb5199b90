"""Finding a config by path or name, reading it, and changing single values of it."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, UserError
from .locations import project_dir
from .wording import in_short, suggestion

if TYPE_CHECKING:
    from mmengine.config import Config


def find_config(name: str) -> Path:
    """The config file that the user means.

    Args:
        name: A path, the name of a config of this installation (`hrnet_w32_coco`, `pose/name`, with or without
            `.py`), or that of a published model.

    Raises:
        ConfigError: nothing of this name, or several of the package's configs.
    """
    path = Path(name).expanduser()
    if os.path.isfile(path):
        return path
    known = _packaged_configs()
    wanted = path.as_posix().removesuffix(".py").removeprefix("./").removeprefix("configs/")
    matches = [known[wanted]] if wanted in known else [known[key] for key in known if Path(key).name == wanted]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ConfigError(f"config {name!r}", found=f"{len(matches)} of this name", do=suggestion(wanted, known))
    published = _published_config(wanted)
    if published is not None:
        return published
    names = {*known, *(Path(key).name for key in known)}
    raise ConfigError(
        f"config {name!r}",
        found="a folder" if os.path.isdir(path) else "no such file",
        expected="a config file, or the name of one of the package's configs",
        do=suggestion(wanted, names) if "/" not in wanted else suggestion(path.stem, names),
    )


def _published_config(name: str) -> Path | None:
    """The config of a model whose published name is another than its file's: ImageNet's trained by third parties."""
    from hrnet_plugin.published.index import read_index

    return next((model.config for model in read_index() if model.name == name), None)


def _packaged_configs() -> dict[str, Path]:
    root = project_dir("configs")
    files = sorted(path for path in root.rglob("*.py") if "_base_" not in path.parts and not _is_package(path.parent))
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in files}


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").exists()


def load_config(path: Path, options: Sequence[str] = ()) -> Config:
    """Read a config, text or pure Python, and put single values into it.

    The config's folder becomes importable, as a script's is, so that one's own head can lie beside one's config.

    Args:
        path: The file.
        options: `key=value` pairs as `--cfg-options` takes them.

    Raises:
        ConfigError: the file cannot be read as a config, or an option does not fit it.
    """
    from mmengine.config import Config

    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        cfg = Config.fromfile(str(path))
    except UserError:
        raise
    except SyntaxError as error:
        raise _syntax_mistake(path, error) from error
    except Exception as error:  # a config is code: anything may go wrong in it
        raise ConfigError(
            f"config {path}", found=f"{type(error).__name__} ({in_short(error)})", do="--traceback shows where"
        ) from error
    if options:
        _merge(cfg, options)
    if "model" not in cfg:
        raise ConfigError(f"config {path}", found="no `model`", expected="a config that describes a run")
    return cfg


def _syntax_mistake(path: Path, error: SyntaxError) -> ConfigError:
    where = f"config {path}"
    try:
        ast.parse(path.read_text(encoding="utf-8"))
        where = f"a base of config {path}"
    except SyntaxError as own:
        error = own
    line = f" ({error.text.strip()!r})" if error.text else ""
    return ConfigError(where, found=f"a syntax error in line {error.lineno}: {error.msg}{line}")


def _merge(cfg: Config, options: Sequence[str]) -> None:
    try:
        cfg.merge_from_dict(_parse_options(options))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        given = " ".join(options)
        raise ConfigError(
            f"--cfg-options {given}", found=in_short(error), expected="keys that fit the config's structure"
        ) from error


def _parse_options(options: Sequence[str]) -> dict[str, Any]:
    from mmengine.config import DictAction

    for option in options:
        if not option.partition("=")[0] or "=" not in option:
            raise ConfigError(f"--cfg-options {option}", found="no key=value", expected="pairs such as model.a=1")
    # Called as argparse would, which takes a key with a dash in front of it for another flag.
    read, given = DictAction(["--cfg-options"], "cfg_options", nargs="+"), argparse.Namespace()
    try:
        read(argparse.ArgumentParser(), given, list(options))
        return given.cfg_options
    except AssertionError as error:
        raise ConfigError(f"--cfg-options {' '.join(options)}", found=str(error)) from error
    except RecursionError as error:  # how mmengine's parser fails at anything that is not one of these
        raise ConfigError(
            f"--cfg-options {' '.join(options)}",
            found="a value of another kind",
            expected="numbers, words, and lists of them",
            do="Write dicts into a config of your own",
        ) from error

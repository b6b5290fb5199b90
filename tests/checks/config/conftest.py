"""Sound configs, and faults planted in them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.findings import ERROR, Finding

ROOT = Path(__file__).resolve().parents[3]
#: In the place of a value: the key is taken out.
GONE = "(gone)"


@functools.cache
def _read(name: str) -> Config:
    return load_config(find_config(name))


def _set(node: Any, key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        if isinstance(node, dict) and node.get(part) is None:
            node[part] = {}
        node = node[int(part) if isinstance(node, list) else part]
    place = int(last) if isinstance(node, list) else last
    if isinstance(value, str) and value == GONE:
        del node[place]
    else:
        node[place] = copy.deepcopy(value)


@pytest.fixture(scope="session")
def changed() -> Callable[[str, Mapping[str, Any]], Config]:
    """`changed(name, {key: value})`: a sound config with values put into it; `(gone)` takes a key out."""

    def change(name: str, values: Mapping[str, Any]) -> Config:
        cfg = copy.deepcopy(_read(name))
        for key, value in values.items():
            _set(cfg._cfg_dict, key, value)
        return cfg

    return change


@pytest.fixture(scope="session")
def planted(changed: Callable[..., Config]) -> Callable[..., Finding]:
    """`planted(name, {key: value}, check, where)`: the one finding of this check at this key, which has to be there.

    Nothing else may be called an error.
    """

    def plant(name: str, values: Mapping[str, Any], check: str, where: str) -> Finding:
        findings = check_config(changed(name, values))
        found = [finding for finding in findings if (finding.check, finding.where) == (check, where)]
        assert len(found) == 1, findings
        assert [finding for finding in findings if finding.level == ERROR and finding not in found] == []
        return found[0]

    return plant


@pytest.fixture(autouse=True, scope="module")
def _in_the_checkout() -> Iterator[None]:
    """mmpose looks for descriptions of keypoints below the folder in which a command runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield

"""The one form in which metafiles are written, and their reading. Apart, so that the help needs no package."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import yaml

#: The same in C, ten times as fast, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def from_yaml(text: str) -> object:
    """The plain values that a text holds.

    Raises:
        ValueError: it is no YAML; with what is wrong and in which line.
    """
    try:
        return yaml.load(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"{error.problem} in line {error.problem_mark.line + 1}") from error
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def to_yaml(content: object) -> str:
    """The text of plain values: keys in their order, lists of words and metrics on one line."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """One line for a list of plain values and for metrics; no anchors, since a row is read by itself."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_list(self, data: list) -> yaml.Node:
        plain = not any(isinstance(item, (Mapping, list, tuple)) for item in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)

    def represent_dict(self, data: Mapping) -> yaml.Node:
        numbers = bool(data) and all(isinstance(value, Real) for value in data.values())
        return self.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=numbers)


_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.add_representer(tuple, _Dumper.represent_list)
_Dumper.add_representer(dict, _Dumper.represent_dict)

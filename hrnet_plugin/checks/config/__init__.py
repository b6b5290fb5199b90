"""What can be wrong with a config, told without its data: :func:`check_config`."""

from .checking import check_config

__all__ = ["check_config"]

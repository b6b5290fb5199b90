"""The fixes stand before a test file imports a framework, also where it runs by itself."""

from __future__ import annotations

import hrnet_plugin  # noqa: F401

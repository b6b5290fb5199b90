"""`python -m hrnet_plugin.bench.framework_tool SCRIPT ...`: a framework's own tool, on an environment that was mended.

With recent torch and mmcv-lite the frameworks cannot be imported without the fixes of `compat`; nothing else of ours
takes part.
"""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    import hrnet_plugin  # noqa: F401

    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")

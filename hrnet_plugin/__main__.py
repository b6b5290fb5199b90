"""`python -m hrnet_plugin` is the `hrnet` command."""

import sys

from .cli.main import main

sys.exit(main())

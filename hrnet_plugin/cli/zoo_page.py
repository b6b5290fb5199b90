"""`hrnet zoo page`: the generated parts of the index, computed anew; for those who change the index."""

from __future__ import annotations

import argparse

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.locations import PACKAGE, project_dir

_ABOUT = (
    "Compute parameters and multiply-accumulates of every config anew, and the page docs/model_zoo.md. Without --write "
    "it says which files are out of date."
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `page` to the commands of `hrnet zoo`."""
    parser = commands.add_parser("page", help="compute the index's figures and its page anew", description=_ABOUT)
    parser.add_argument("--write", action="store_true", help="write what has changed")
    parser.set_defaults(zoo=run_page)


def run_page(args: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0, or 1 where files are out of date and were not written.

    Raises:
        ConfigError: this is an installed package, which has no page.
    """
    from tqdm import tqdm

    from hrnet_plugin.published.index import read_index
    from hrnet_plugin.zoo.refresh import refresh

    configs = project_dir("configs")
    if configs.parent != PACKAGE.parent:
        raise ConfigError("hrnet zoo page", found=f"an installed package in {PACKAGE}", expected="a checkout")
    with tqdm(total=len(read_index(configs)), unit="model", disable=None) as bar:
        changed = refresh(configs, args.write, lambda name: bar.update())
    for path in changed:
        print(f"{'written' if args.write else 'out of date'}: {path.relative_to(configs.parent)}")
    if not changed:
        print("metafiles and page are up to date")
    return int(bool(changed) and not args.write)

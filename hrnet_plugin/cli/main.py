"""The `hrnet` command: one sub-command a verb, each a module of this folder with HELP, add_arguments and run.

Exit status: 0 done, 1 a check that did not pass, 2 a wrong input (one line on stderr), 75 a training that was asked to
make room and can go on with --resume, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from hrnet_plugin.errors import LostProcess, Preempted, UserError, find_user_error
from hrnet_plugin.version import __version__

from .explain import missing_package

VERBS = (
    "train",
    "test",
    "data",
    "check-config",
    "check-data",
    "browse",
    "doctor",
    "demo",
    "zoo",
    "publish",
    "load-report",
    "convert",
    "export",
    "infer",
    "inspect",
    "bench",
)

WRONG_INPUT = UserError.exit_status
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        argv: Arguments without the program's name; `sys.argv[1:]` where it is None.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            with _logging_ends_with_its_reader():
                return _run(argv)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("hrnet: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`hrnet doctor | head`): Python's own flush at exit would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def build_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the command line.

    Only the verb that `argv` starts with is imported; without one, all of them are, for the help.
    """
    parser = argparse.ArgumentParser(
        prog="hrnet", description="Train, test and inspect HRNet with mmpose and mmsegmentation."
    )
    parser.add_argument("--version", action="version", version=f"hrnet_plugin {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in VERBS if not argv or argv[0] not in VERBS else (argv[0],):
        verb = _verb(name)
        command = commands.add_parser(name, help=verb.HELP, description=verb.HELP)
        verb.add_arguments(command)
        command.add_argument("--traceback", action="store_true", help="show where in the code an error was found")
        command.set_defaults(run=verb.run)
    return parser


def _run(argv: Sequence[str]) -> int:
    args = build_parser(argv).parse_args(argv)
    try:
        return args.run(args)
    except Exception as error:
        mistake = find_user_error(error) or missing_package(error)
        if mistake is None or args.traceback:
            raise
        word = "" if isinstance(mistake, Preempted) else " error:"
        print(f"{_speaker()}{word} {mistake}", file=sys.stderr)
        if isinstance(mistake, LostProcess):
            # Leaving the group, as Python's end would, waits for the one that is gone.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(mistake.exit_status)
        return mistake.exit_status


@contextmanager
def _logging_ends_with_its_reader() -> Iterator[None]:
    """Has a log line that nobody reads any more end the command, as a printed one does.

    Python's logging goes on, and prints a stack trace for each.
    """
    tell = logging.StreamHandler.handleError

    def end_or_tell(handler: logging.StreamHandler, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, BrokenPipeError):
            raise error
        tell(handler, record)

    logging.StreamHandler.handleError = end_or_tell
    try:
        yield
    finally:
        logging.StreamHandler.handleError = tell


def _verb(name: str) -> ModuleType:
    return importlib.import_module(f"hrnet_plugin.cli.{name.replace('-', '_')}")


def _speaker() -> str:
    rank = os.environ.get("RANK", "0")
    return "hrnet:" if rank == "0" else f"hrnet: [rank {rank}]"


if __name__ == "__main__":
    sys.exit(main())

"""The full run of all faults: python tests/faults/run_faults.py [--seed 0] [--times 20] [--out FILE.json] [NAME ...]

It prints a row a scenario: what is promised, what happened, how often it was tried and survived, how many iterations
were repeated at most after one fault, and how many checkpoints were lost. The silence after which a cut link is noticed
is the default one. Exit status 1 where a promise was not kept.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path

from scenarios import SCENARIOS, Outcome
from subject import Subject

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs the scenarios that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*SCENARIOS, []], metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=0, help="of the moments and places of faults")
    parser.add_argument("--times", type=int, default=20, help="how often what is random is tried")
    parser.add_argument("--out", type=Path, help="the outcomes, as JSON")
    args = parser.parse_args()
    outcomes: dict[str, Outcome | str] = {}
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        subject = Subject(Path(folder) / "subject", ROOT)
        for name in args.names or SCENARIOS:
            try:
                outcomes[name] = SCENARIOS[name](subject, random.Random(args.seed), args.times)
            except Exception:
                outcomes[name] = traceback.format_exc()
            print(f"{name}: {outcomes[name]}", flush=True)
    if args.out:
        plain = {name: one if isinstance(one, str) else asdict(one) for name, one in outcomes.items()}
        args.out.write_text(json.dumps({"seed": args.seed, "times": args.times, "outcomes": plain}, indent=1) + "\n")
    kept = [one for one in outcomes.values() if isinstance(one, Outcome) and one.survived == one.tried and not one.lost]
    print(f"{len(kept)} of {len(outcomes)} kept")
    return int(len(kept) < len(outcomes))


if __name__ == "__main__":
    sys.exit(main())

"""Run the benchmarks: paired measurements of this module against stock Synapse."""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench import (
    against,
    endure,
    footprint,
    introspection,
    limit,
    lists,
    polls,
    refresh,
    scale,
    sign_in,
    sign_up,
    soak,
    storm,
    whoami,
)
from bench.report import Report
from bench.servers import Scene, provided

BENCHMARKS = {
    "whoami": whoami.measure,
    "refresh": refresh.measure,
    "limit": limit.measure,
    "polls": polls.measure,
    "sign-in": sign_in.measure,
    "sign-up": sign_up.measure,
    "introspection": introspection.measure,
    "footprint": footprint.measure,
}
# These take so long that they must be asked for.
BY_NAME = {
    "lists": lists.measure,
    "storm": storm.measure,
    "scale": scale.measure,
    "soak": soak.measure,
    "endure": endure.measure,
}
AGAINST = "against"  # which needs to know the other server
EVERY = BENCHMARKS | BY_NAME


def main() -> None:
    """Run what was asked for, one after the other, and print each figure as it comes."""
    arguments = _arguments()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        _keep_bytecode(Path(directory) / "bytecode")
        with provided(
            Path(directory), hasty=arguments.hasty, quick=arguments.quick, kept=arguments.directory
        ) as scene:
            try:
                _run(arguments, scene, report)
            except against.Wrong as wrong:
                sys.exit(str(wrong))
    if arguments.json:
        arguments.json.write_text(report.as_json(hasty=arguments.hasty, quick=arguments.quick))


def _run(arguments: argparse.Namespace, scene: Scene, report: Report) -> None:
    known = {**EVERY, AGAINST: partial(against.measure, other=arguments.other)}
    for name in arguments.names or BENCHMARKS:
        report.begin(name)
        if name == AGAINST:
            print(against.told(arguments.other, quick=arguments.quick), flush=True)
        for figure in known[name](scene):
            report.add(figure)


def _keep_bytecode(directory: Path) -> None:
    """Let Synapse start from compiled files even here, as every installed one does."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(directory)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=_names())
    parser.add_argument("--quick", action="store_true", help="a first impression, in two minutes")
    parser.add_argument(
        "--hasty", action="store_true", help="let PostgreSQL not wait for the disk, as in the tests"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="keep the full database of scale there (short!)",
    )
    parser.add_argument(
        "--other", type=Path, metavar="FILE", help="the server that against compares with (JSON)"
    )
    parser.add_argument(
        "--far", action="store_true", help="it may be on another machine, and nobody minds"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - {*EVERY, AGAINST})
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    if AGAINST in arguments.names:
        arguments.other = _other(parser, arguments)
    return arguments


def _other(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> against.Other:
    """Read what is known of the other server, and refuse what was hardly meant."""
    if arguments.other is None:
        parser.error("against needs --other FILE; bench/README.md says what stands in it")
    try:
        other = against.Other.read(arguments.other)
    except against.Wrong as wrong:
        parser.error(str(wrong))
    far = [origin.host for origin in other.origins if not origin.is_here]
    if far and not arguments.far:
        parser.error(f"{far[0]} is not this machine: add --far if you may send it this load")
    return other


def _names() -> str:
    return f"{', '.join(BENCHMARKS)}; only if asked for: {', '.join([*BY_NAME, AGAINST])}"


if __name__ == "__main__":
    main()

"""Run the benchmarks: paired measurements of this module against stock Synapse."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench import (
    endure,
    footprint,
    limit,
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
    "footprint": footprint.measure,
}
# These take so long that they must be asked for.
BY_NAME = {
    "storm": storm.measure,
    "scale": scale.measure,
    "soak": soak.measure,
    "endure": endure.measure,
}
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
            _run(arguments.names or list(BENCHMARKS), scene, report)
    if arguments.json:
        arguments.json.write_text(report.as_json(hasty=arguments.hasty, quick=arguments.quick))


def _run(names: list[str], scene: Scene, report: Report) -> None:
    for name in names:
        report.begin(name)
        for figure in EVERY[name](scene):
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
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(EVERY))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    return arguments


def _names() -> str:
    return f"{', '.join(BENCHMARKS)}; only if asked for: {', '.join(BY_NAME)}"


if __name__ == "__main__":
    main()

"""Environments that hold what a release of Synapse came with, as far as pip can tell.

pip decides by names, versions and requirements, and reads them from each package's METADATA. So a
directory with nothing but such files is, for `pip install --dry-run`, the environment they were copied
from. Nothing in it can be imported.

The tables in `tests/packaging/environments` were written by this file from real environments:

    python tests/support/environments.py PYTHON "where it is from" > 1.164.0.txt
"""

import json
import subprocess
import sys
import venv
from pathlib import Path

import attrs

TABLES = Path(__file__).parents[1] / "packaging" / "environments"
_READER = """
import importlib.metadata as metadata, json
print(json.dumps([
    (d.metadata["Name"], d.version, [r for r in d.requires or [] if "extra ==" not in r])
    for d in metadata.distributions()
]))
"""


@attrs.frozen
class Package:
    """One installed package, by what pip knows of it."""

    name: str
    version: str
    requires: tuple[str, ...] = ()


def tables() -> list[str]:
    """Return the releases of Synapse that there is a table of, the oldest first."""
    names = [file.stem for file in TABLES.glob("*.txt")]
    return sorted(names, key=lambda name: [int(part) for part in name.split(".")])


def read(release: str) -> list[Package]:
    """Return the packages of a table."""
    found: list[Package] = []
    for line in (TABLES / f"{release}.txt").read_text("utf-8").splitlines():
        if line.startswith("    "):
            found[-1] = attrs.evolve(found[-1], requires=(*found[-1].requires, line.strip()))
        elif line and not line.startswith("#"):
            name, _, version = line.partition("==")
            found.append(Package(name, version))
    return found


def newer(packages: list[Package]) -> list[Package]:
    """Return the same packages as a year may leave them: all at another major version."""
    return [Package(package.name, _newer(package)) for package in packages]


def _newer(package: Package) -> str:
    if package.name == "matrix-synapse":
        return "1.999.0"
    return f"{int(package.version.partition('.')[0]) + 100}.0"


def pretend(directory: Path, packages: list[Package]) -> Path:
    """Make an environment that seems to hold these packages; return its Python."""
    venv.create(directory, with_pip=False)
    (site,) = directory.glob("lib/python*/site-packages")
    for package in packages:
        info = site / f"{package.name.replace('-', '_')}-{package.version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {package.name}", f"Version: {package.version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in package.requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
        (info / "INSTALLER").write_text("pip\n", "utf-8")
        (info / "RECORD").write_text("", "utf-8")
    return directory / "bin" / "python"


def installing(python: Path, *what: str) -> dict[str, str]:
    """Return what `pip install` would put into an environment: names and versions."""
    pip = [sys.executable, "-m", "pip", f"--python={python}", "--disable-pip-version-check"]
    report = subprocess.run(
        [*pip, "install", "--quiet", "--dry-run", "--report=-", *what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.returncode == 0, report.stderr
    chosen = [item["metadata"] for item in json.loads(report.stdout)["install"]]
    return {item["name"].lower().replace("_", "-"): item["version"] for item in chosen}


def _described(python: str, origin: str) -> str:
    run = subprocess.run([python, "-c", _READER], capture_output=True, text=True, check=True)
    lines = [f"# {origin}"]
    for name, version, requires in sorted(json.loads(run.stdout), key=lambda row: row[0].lower()):
        lines.append(f"{name.lower().replace('_', '-')}=={version}")
        lines += [f"    {requirement}" for requirement in sorted(requires)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(_described(*sys.argv[1:]))

"""Installing this package changes nothing that Synapse was installed with, and says what it adds.

pip is asked what it would do to environments that seem to hold the packages of real ones (see
`support.environments`). That shows what pip decides from names, versions and requirements, for our
package and for all that it brings. It does not show that the result runs: `tox run -e oldest` and the
others do, with the packages of these releases.
"""

import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

from support import environments
from support.environments import Package

ROOT = Path(__file__).parents[2]
OURS = "synapse-nextgen-auth"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def brought(wheel, tmp_path_factory):
    """Return a function that asks what an install beside a release would bring, each once."""

    @cache
    def ask(release):
        packages = environments.read(release)
        python = environments.pretend(tmp_path_factory.mktemp("environment"), packages)
        return environments.installing(python, str(wheel))

    return ask


def moved(packages: list[Package], changes: dict[str, str]) -> dict[str, str]:
    """Return which of the packages that were there would not be as they were."""
    there = {package.name for package in packages}
    return {name: version for name, version in changes.items() if name in there}


@pytest.mark.parametrize("release", environments.tables())
def test_no_package_of_a_synapse_moves(brought, release):
    """Neither up nor down, in what the image of that release holds."""
    changes = brought(release)

    assert OURS in changes
    assert moved(environments.read(release), changes) == {}


def test_no_package_of_a_synapse_to_come_moves(wheel, tmp_path):
    """There is no upper bound anywhere: a Synapse and packages that nobody knows yet stay."""
    packages = environments.newer(environments.read(environments.tables()[-1]))
    python = environments.pretend(tmp_path / "environment", packages)

    changes = environments.installing(python, str(wheel))

    assert OURS in changes
    assert moved(packages, changes) == {}


def test_a_requirement_with_a_bound_would_be_noticed(wheel, tmp_path):
    """The way it was: a range of Synapse takes the homeserver back on tables that went ahead."""
    packages = environments.newer(environments.read(environments.tables()[-1]))
    python = environments.pretend(tmp_path / "environment", packages)
    bounded = with_requirement(wheel, "jinja2<99", tmp_path)

    changes = environments.installing(python, str(bounded))

    assert set(moved(packages, changes)) >= {"jinja2"}


def with_requirement(wheel: Path, requirement: str, directory: Path) -> Path:
    """Return a copy of the wheel that asks for one more thing."""
    copy = directory / wheel.name
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(".dist-info/METADATA"):
                head = f"Requires-Dist: {requirement}\n".encode()
                content = content.replace(b"Requires-Dist: ", head + b"Requires-Dist: ", 1)
            target.writestr(name, content)
    return copy


def test_the_removal_page_names_what_came_with_it(brought):
    """`pip uninstall` takes one package; the page names the others, in every release's image."""
    page = (ROOT / "docs" / "setup" / "removal.md").read_text("utf-8")
    command = re.search(r"pip uninstall synapse-nextgen-auth (.+)", page)
    assert command
    listed = command[1].split()

    for release in environments.tables():
        assert sorted(listed) == sorted(brought(release).keys() - {OURS}), release


def test_what_is_needed_stands_in_the_list_of_packages(wheel):
    """What we import and Synapse brings is named without a version, so that pip leaves it alone."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    required = re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE)
    of_synapse = {
        package.name for release in environments.tables() for package in environments.read(release)
    }

    with_a_version = [r for r in required if "extra ==" not in r and re.search(r"[<>=~!]", r)]

    assert {re.split(r"[<>=~! ]", r)[0] for r in with_a_version} & of_synapse == set()

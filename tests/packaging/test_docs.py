"""What the pages say still holds: links lead somewhere, and lists are complete."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    """Return how a page is called in the test's name."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_within_the_repository_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    inside = [target.partition("#")[0] for target in targets if "://" not in target]
    broken = [target for target in inside if target and not (page.parent / target).exists()]

    assert broken == []


def test_removal_names_every_table():
    package = ROOT / "synapse_nextgen_auth" / "store"
    sources = [*package.glob("*.py"), *package.rglob("*.sql")]
    made = {
        table
        for source in sources
        for table in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", source.read_text())
    }
    page = (ROOT / "docs" / "setup" / "removal.md").read_text()

    assert made
    assert set(re.findall(r"DROP TABLE IF EXISTS (\w+);", page)) == made


def test_the_scripts_of_a_bare_machine_are_valid():
    for script in (ROOT / ".ci").iterdir():
        subprocess.run(["bash", "-n", script], check=True)


def test_ci_finds_the_test_command_in_the_readme():
    commands = [line for line in (ROOT / "README.md").read_text().splitlines() if "tox run" in line]

    assert len(commands) == 1
    assert commands[0].startswith(".ci/venv && ")

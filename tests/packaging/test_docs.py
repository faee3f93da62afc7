"""What the pages and scripts of a newcomer say still holds."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


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

"""What `check-config --database` says, as findings."""

import re
from collections.abc import Iterator

from synapse_nextgen_auth.cli.check_config import Looked
from synapse_nextgen_auth.cli.doctor.findings import Finding, Grade, well


def findings(looked: Looked) -> Iterator[Finding]:
    """Return a finding for each problem and warning, or that there is none."""
    for grade, texts in ((Grade.PROBLEM, looked.problems), (Grade.DOUBT, looked.warnings)):
        for text in texts:
            yield _finding(grade, looked.without_secrets(text))
    if not looked.problems:
        yield well("Synapse would start with these files, and its database has our tables")


def _finding(grade: Grade, text: str) -> Finding:
    """Say where it is, where the text begins with that."""
    path, colon, rest = text.partition(": ")
    if colon and re.fullmatch(r"[\w.\[\]/-]+", path):
        return Finding(grade, rest, path)
    return Finding(grade, text)

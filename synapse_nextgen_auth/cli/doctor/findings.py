"""What the doctor says: each finding with what, where, and what to change."""

import enum
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from synapse_nextgen_auth.records import frozen


class Grade(str, enum.Enum):
    """How bad it is; the value is what `--json` says."""

    WELL = "ok"
    DOUBT = "warning"
    PROBLEM = "problem"
    UNSEEN = "unseen"  # it could not be looked at, and another finding says why


_MARKS = {Grade.WELL: "ok", Grade.DOUBT: "!", Grade.PROBLEM: "✗", Grade.UNSEEN: "?"}


@frozen
class Finding:
    """One thing that was looked at.

    `where` is an address, a process or an option. `fix` is what to do, or the line to change; what is
    well has none.
    """

    grade: Grade
    what: str
    where: str = ""
    fix: str = ""

    def document(self, check: str) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "check": check,
            "grade": self.grade.value,
            "what": self.what,
            "where": self.where or None,
            "fix": self.fix or None,
        }

    def lines(self) -> Iterator[str]:
        """Return it for people."""
        where = f"  ({self.where})" if self.where else ""
        yield f"  {_MARKS[self.grade]:<2} {self.what}{where}"
        if self.fix:
            yield f"     → {self.fix}"


def well(what: str, where: str = "") -> Finding:
    """Return that something is as it should be."""
    return Finding(Grade.WELL, what, where)


def doubt(what: str, where: str = "", fix: str = "") -> Finding:
    """Return that something works and hardly anybody wants it so."""
    return Finding(Grade.DOUBT, what, where, fix)


def problem(what: str, where: str = "", fix: str = "") -> Finding:
    """Return that something does not work."""
    return Finding(Grade.PROBLEM, what, where, fix)


def unseen(what: str, where: str = "") -> Finding:
    """Return that something could not be looked at."""
    return Finding(Grade.UNSEEN, what, where)


@frozen
class Check:
    """Something to look at: its name, and who looks."""

    name: str
    look: Callable[[Any], Iterator[Finding]]


Found = Sequence[tuple[str, Sequence[Finding]]]


def exit_code(found: Found) -> int:
    """Return 1 where something does not work or could not be looked at, 2 where there are doubts."""
    grades = {finding.grade for _, findings in found for finding in findings}
    if Grade.PROBLEM in grades or Grade.UNSEEN in grades:
        return 1
    return 2 if Grade.DOUBT in grades else 0

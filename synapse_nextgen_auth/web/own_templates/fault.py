"""One thing that is wrong with a file of the operator's."""

from pathlib import Path

from synapse_nextgen_auth.records import frozen


@frozen
class Fault:
    """Where it is, and in words what; `line` is 0 where it is the whole file.

    A name that nobody knows `lets_look`: the rest of the page is made without it, so that all that is
    wrong there is said at once.
    """

    path: Path
    line: int
    text: str
    lets_look: bool = False

    def says_the_same(self, other: "Fault") -> bool:
        """Say whether it is known already, with whatever may have been meant."""
        said = self.text.partition(";")[0], other.text.partition(";")[0]
        return (self.path, self.line) == (other.path, other.line) and said[0] == said[1]

    def __str__(self) -> str:
        """Return it as a line of a list."""
        where = f"{self.path}: line {self.line}" if self.line else str(self.path)
        return f"{where}: {self.text}"

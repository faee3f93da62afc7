"""Letting one process of a deployment fail at a chosen place, as a test commands it over HTTP.

The other half is `support.saboteur`, a module that Synapse loads after ours.
"""

import attrs
import requests

PATH = "/_synapse/client/sabotage"

# What a statement for many refreshes is called, on a connection of our own.
TOGETHER = "nextgen_together"

# Where a plan can strike: at the n-th statement of a transaction, right before or right after its
# commit, or when everything is done and the answer is about to be written.
STATEMENT, BEFORE_COMMIT, AFTER_COMMIT, ANSWER = (
    "statement",
    "before commit",
    "after commit",
    "answer",
)


@attrs.frozen
class Point:
    """A place in the course of a request: which transaction, and where in it."""

    place: str
    transaction: str = ""
    statement: int = 0


@attrs.frozen
class Plan:
    """What to do (a name of `FAULTS`), where, how often, and with which probability."""

    path: str  # the end of the request's path, or the name of work in the background
    fault: str | None = None  # None: only look
    point: Point | None = None  # None: anywhere
    times: int = 1
    chance: float = 1.0


@attrs.frozen
class Sabotage:
    """The saboteur of one process, as a test commands it."""

    base_url: str

    def plan(self, plan, *, shift=0, together=True):
        """Take up a plan, or none; set the clock wrong by `shift` seconds.

        Without `together` each refresh is a transaction of its own, as where that connection is missing.
        """
        plan = None if plan is None else attrs.asdict(plan)
        order = {"plan": plan, "shift": shift, "together": together}
        requests.put(self.base_url + PATH, json=order, timeout=60).raise_for_status()

    def seen(self):
        """Return the points that requests passed since the plan was taken up."""
        return [Point(**point) for point in self._told()["seen"]]

    def fired(self):
        """Return how often the fault struck."""
        return self._told()["fired"]

    def heard(self):
        """Return which processes this one knows as such that end things, by the names Synapse has."""
        return self._told()["heard"]

    def _told(self):
        return requests.get(self.base_url + PATH, timeout=60).json()

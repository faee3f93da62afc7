"""How often tests repeat what only many tries prove: shortened, or in full with DRILLS=full."""

import os

FULL = os.environ.get("DRILLS") == "full"


def times(shortened, full):
    """Return how often, or for how long, to do something in this run."""
    return full if FULL else shortened

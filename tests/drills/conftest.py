"""Fault drills: each ends with a look at the tables, and they run in full with DRILLS=full."""

import pytest

from support.invariants import violations
from support.waiting import eventually


def pytest_collection_modifyitems(items):
    """Mark everything here as a drill."""
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.drill)


@pytest.fixture
def client(deployment):
    """Return a client that turns to the main process; see `deployment.at`."""
    return deployment.server().client()


@pytest.fixture(autouse=True)
def invariants(deployment):
    """Promise that a drill leaves the tables as they must be."""
    yield
    deployment.heal()
    assert eventually(lambda: not violations(deployment)), violations(deployment)

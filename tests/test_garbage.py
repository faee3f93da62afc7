"""While ours is imported, looking for garbage does not go through all of Synapse each time."""

import gc

import pytest

from synapse_nextgen_auth import module


@pytest.fixture
def thawed():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_looked_at_again_afterwards(thawed, fails):
    """However the import ends: nothing of Synapse stays hidden from the collector."""

    class Stop(Exception):
        pass

    try:
        with module._apart():
            hidden = gc.get_freeze_count()
            if fails:
                raise Stop
    except Stop:
        pass

    assert hidden > 1000
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("is_on", [False, True])
def test_it_is_looked_for_meanwhile_whatever_synapse_does(thawed, is_on):
    """Synapse switches it off, and it stays so."""
    if not is_on:
        gc.disable()
    try:
        with module._apart():
            meanwhile = gc.isenabled()
        after = gc.isenabled()
    finally:
        gc.enable()

    assert meanwhile
    assert after is is_on


def test_what_somebody_froze_stays_frozen(thawed):
    gc.freeze()
    with module._apart():
        pass

    assert gc.get_freeze_count() > 1000


def test_a_python_that_cannot_hide_it_starts_as_well(monkeypatch):
    """PyPy has no `freeze`; Synapse asks for it, too."""
    for name in ("freeze", "unfreeze", "get_freeze_count"):
        monkeypatch.delattr(gc, name)
    was_on = gc.isenabled()

    with module._apart():
        pass

    assert gc.isenabled() is was_on

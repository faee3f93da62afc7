"""Chores begin once the server answers, whatever keeps them from it for a while."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from twisted.internet.task import Clock

from synapse_nextgen_auth.assembly import start
from synapse_nextgen_auth.late import Broken

pytestmark = pytest.mark.newest_only


def test_a_file_that_is_not_whole_keeps_them_for_a_minute(monkeypatch, caplog):
    """An upgrade may be half way when a process starts, and that process goes on for weeks."""
    reactor, begun = Clock(), []

    def keep_house(site):
        begun.append(site)
        if len(begun) < 3:
            raise Broken("flows.housekeeping cannot be imported")

    monkeypatch.setattr(start, "_keep_house", keep_house)
    site = SimpleNamespace(
        homeserver=SimpleNamespace(hs=SimpleNamespace(get_reactor=lambda: reactor))
    )
    start._begin_chores(site)
    for _ in range(5):
        reactor.advance(60)

    assert begun == [site] * 3
    said = (
        "The chores of this module have not begun, and are tried again: flows.housekeeping cannot"
    )
    assert caplog.text.count(said) == 2


def test_a_warning_that_cannot_be_said_keeps_no_chore(monkeypatch):
    """What it asks is imported for it, too."""

    def warn(site):
        raise Broken("homeserver.people.second_factors cannot be imported")

    begun = []
    monkeypatch.setattr(start, "_warn_of_factors", warn)
    monkeypatch.setattr(start, "_keep_house", begun.append)
    worker = SimpleNamespace(run_background_tasks=True)
    hs = SimpleNamespace(config=SimpleNamespace(worker=worker))
    with suppress(Broken):
        start._go_on(SimpleNamespace(homeserver=SimpleNamespace(hs=hs)))

    assert len(begun) == 1

"""A rendezvous: two devices read and overwrite one small spot in turn."""

from functools import partial

import attrs
import pytest

from support.records import NOW
from synapse_nextgen_auth.flows import rendezvous as flow
from synapse_nextgen_auth.flows.rendezvous import Write, Written
from synapse_nextgen_auth.oauth.rendezvous import MAX_LIVING, Kind, Rendezvous
from synapse_nextgen_auth.store import rendezvous

ETAG, SEQUENCE = Kind


def a_rendezvous(**fields):
    """Return a spot that was made just now."""
    return Rendezvous(
        **{
            "rendezvous_id": "r",
            "kind": SEQUENCE,
            "data": "hello",
            "sequence": "s1",
            "created_at": NOW,
            "modified_at": NOW,
            "expires_at": NOW + 300,
            **fields,
        }
    )


def make(tables, **fields):
    """Make a spot."""
    spot = a_rendezvous(**fields)
    tables.run(rendezvous.add, spot)
    return spot


def read(tables, *, at=0, kind=SEQUENCE, name="r"):
    """Read it."""
    return tables.transact(rendezvous.get, name, kind=kind, now=NOW + at)


def write(seen, data, sequence, *, at=0, kind=SEQUENCE):
    """Return the flow that writes on top of what a device saw."""
    return partial(flow.write, wanted=Write("r", kind, (seen,), data, sequence), now=NOW + at)


def test_a_spot_is_read_by_its_id_until_its_time_is_over(tables):
    """On the second, and in its own form of the protocol only."""
    spot = make(tables)

    assert read(tables) == read(tables, at=299) == spot
    assert read(tables, at=300) is None
    assert read(tables, kind=ETAG) is None
    assert read(tables, name="%") is None


def test_a_write_on_top_of_the_present_state_succeeds(tables, transact):
    """It lives no longer for that."""
    spot = make(tables)

    outcome = transact(write("s1", "answer", "s2", at=5))

    changed = attrs.evolve(spot, data="answer", sequence="s2", modified_at=NOW + 5)
    assert outcome == Written(changed)
    assert read(tables) == changed


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("seen", ["s0", "", "S1", "s2"])
def test_c155_a_write_on_top_of_anything_else_is_a_conflict(tables, transact, kind, seen):
    """The device hears what stands there."""
    spot = make(tables, kind=kind)

    assert transact(write(seen, "mine", "s2", kind=kind)) == Written(spot, is_conflict=True)
    assert read(tables, kind=kind) == spot


@pytest.mark.parametrize(("kind", "is_conflict"), [(SEQUENCE, False), (ETAG, True)])
def test_a_repeated_write_finds_itself(tables, transact, kind, is_conflict):
    """Its answer was lost; only MSC4388 asks for this kindness."""
    make(tables, kind=kind)
    transact(write("s1", "mine", "s2", kind=kind))

    again = transact(write("s1", "mine", "s3", kind=kind))

    assert (again.rendezvous.sequence, again.is_conflict) == ("s2", is_conflict)


def test_of_two_writes_at_once_one_wins(tables):
    """The others hear of it."""
    make(tables)

    outcomes = tables.race([write("s1", f"data {n}", f"s{n + 2}") for n in range(6)])

    assert sorted(outcome.is_conflict for outcome in outcomes) == [False] + [True] * 5
    winner = next(outcome for outcome in outcomes if not outcome.is_conflict)
    assert read(tables) == winner.rendezvous


@pytest.mark.parametrize("at", [0, 300])
def test_a_spot_is_left_once(tables, transact, at):
    """Nothing is there afterwards; one whose time is over is gone already."""
    make(tables)
    leave = partial(rendezvous.remove, rendezvous_id="r", kind=SEQUENCE, now=NOW + at)

    assert transact(leave) is (at == 0)
    assert transact(leave) is False
    assert transact(write("s1", "x", "s2", at=at)) is None


def test_there_is_a_limit_to_spots(tables, transact):
    """Expired ones do not count."""
    rows = ", ".join(
        f"('{n}', 'msc4108', '', '', 0, 0, {NOW + 300})" for n in range(MAX_LIVING - 1)
    )
    with tables.begin() as txn:
        txn.execute(f"INSERT INTO nextgen_rendezvous VALUES {rows}")

    assert transact(flow.has_room, now=NOW)
    make(tables, rendezvous_id="last")
    assert not transact(flow.has_room, now=NOW)
    assert transact(flow.has_room, now=NOW + 300)

"""ULIDs: what is made is read again, sorts by its time, and nothing else is one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts import ulids
from synapse_nextgen_auth.accounts.ulids import Kind

TIMES = st.integers(min_value=0, max_value=2**48 - 1)


@given(key=st.text(), at=TIMES)
def test_what_is_made_is_read(key, at):
    """In small letters, too; the time stands in it."""
    made = ulids.make(Kind.USER, key, at)

    assert re.fullmatch(ulids.PATTERN, made)
    assert ulids.read(made) == ulids.read(made.lower()) == made
    assert ulids.made_at(made) == at


@given(one=TIMES, other=TIMES, keys=st.tuples(st.text(), st.text()))
def test_they_sort_by_their_time(one, other, keys):
    if one < other:
        assert ulids.make(Kind.USER, keys[0], one) < ulids.make(Kind.EMAIL, keys[1], other)


def test_each_thing_has_one_of_its_own():
    made = {ulids.make(kind, key, 5) for kind in Kind for key in ("a", "b")}

    assert len(made) == 2 * len(Kind)


@given(text=st.text())
def test_nothing_else_is_one(text):
    """It never raises, whatever stands in a path."""
    assert ulids.read(text) in {None, text.upper()}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01ARZ3NDEKTSV4RRFFQ69G5FA",
        "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
        "01ARZ3NDEKTSV4RRFFQ69G5FAI",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV\n",
        "01ARZ3NDEKTSV4RRFFQ69G5FA\u0131",
    ],
)
def test_what_only_looks_like_one(text):
    """More than 128 bits, a letter that is none of theirs, one too few or too many."""
    assert ulids.read(text) is None

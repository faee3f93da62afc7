"""Names of accounts that do not exist yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.new_names import as_localpart, near


@pytest.mark.parametrize(
    ("typed", "localpart"),
    [
        ("alice", "alice"),
        (" Alice ", "alice"),
        ("@alice", "alice"),
        ("@alice:example.com", "alice"),
        ("alice:example.com", "alice"),
        ("", ""),
        ("@", ""),
        ("al ice", "al ice"),
    ],
)
def test_c245_a_name_is_read_as_people_type_it(typed, localpart):
    assert as_localpart(typed) == localpart


@pytest.mark.parametrize(
    ("localpart", "names"),
    [
        ("alice", ["alice7", "alice42"]),
        ("alice3", ["alice7", "alice42"]),
        ("alice.", ["alice7", "alice42"]),
        ("1234", ["12347", "123442"]),
    ],
)
def test_names_near_one_are_like_it(localpart, names):
    assert list(near(localpart, [7, 42])) == names


@given(st.text(max_size=2000), st.lists(st.integers(2, 99), max_size=6))
def test_no_name_makes_a_suggestion_long(typed, numbers):
    assert all(len(name) < 255 for name in near(as_localpart(typed), numbers))

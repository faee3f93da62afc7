"""Which paths a pattern with stars is about, and what it costs to find out."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.path_patterns import path_pattern

PATTERNS = st.lists(st.sampled_from(["a", "b", "/", "/", "*", "*", "**", "ab", "/a*b"]), max_size=9)
PATHS = st.text(alphabet="ab/\n", max_size=14)


def in_all_ways(text):
    """Return what a pattern means, as a regular expression that may take its time."""
    parts = re.split(r"(\*+)", text.rstrip("/").removesuffix("/**"))
    meant = (
        {"*": "[^/]*"}.get(part, ".*") if part.startswith("*") else re.escape(part)
        for part in parts
    )
    return re.compile(f"{''.join(meant)}(/.*)?", re.DOTALL)


@given(PATTERNS.map("".join), PATHS)
@example("**a*b/a*b**b", "a/ab/aab")
@example("/**/a*b/b*a/*", "/a/b/ab/ba/b")
@example("**", "")
def test_a_path_is_compared_as_by_trying_every_way(pattern, path):
    is_of = in_all_ways(pattern).fullmatch(path) is not None

    assert path_pattern(pattern).is_of(path) is is_of


@given(st.lists(st.sampled_from(["a", "b", "/", "*", "**"]), min_size=3, max_size=9), st.data())
def test_a_path_that_a_pattern_was_made_of_is_one(parts, data):
    """Stars are filled in; most paths by chance are of no pattern."""
    fillings = {"*": st.text(alphabet="ab", max_size=4), "**": PATHS}
    path = "".join(data.draw(fillings.get(part, st.just(part))) for part in parts)
    pattern = "".join(parts)

    is_of = in_all_ways(pattern).fullmatch(path) is not None

    assert path_pattern(pattern).is_of(path) is is_of


@pytest.mark.parametrize(
    ("pattern", "piece"),
    [
        ("/x/**/a/**/a/**/b", "/a"),
        ("/x/**a**a**a**b", "a"),
        ("/x/*a*a*a*b", "a"),
        ("/x/**a*b", "a"),
        ("/x/**a*b", "a/"),
        ("/x/**/a*a/*a/b", "/aa"),
        ("/x/**aaaaaaab", "a"),
    ],
)
def test_c903_a_long_path_costs_as_much_more_as_it_is_longer(pattern, piece):
    """Whoever sends one keeps the others waiting no longer than its length does."""
    compared = path_pattern(pattern)

    short, long = (cheapest(compared, "/x/" + piece * pieces) for pieces in (500, 500 * 16))

    assert long < 4 * 16 * short


def cheapest(pattern, path):
    """Return the seconds of this thread for it, of the best of several tries."""
    assert not pattern.is_of(path)
    return min(timed(pattern, path) for _ in range(20))


def timed(pattern, path):
    """Return the seconds of this thread for comparing it some times."""
    began = time.thread_time()
    for _ in range(5):
        pattern.is_of(path)
    return time.thread_time() - began

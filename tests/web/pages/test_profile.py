"""The page about a profile."""

import attrs
import pytest

from support.pages import read
from synapse_nextgen_auth.web.pages.account.profile.samples import PROFILE


@pytest.mark.parametrize(
    ("largest", "said"),
    [(10 * 2**20, "at most 10 MB"), (2**20, "at most 1 MB"), (500 * 2**10, "at most 500 KB")],
)
def test_it_says_how_large_a_picture_may_be(largest, said):
    """And tells its script so, to the byte."""
    html = read(attrs.evolve(PROFILE, largest_picture=largest))
    (box,) = [each for each in html.all("div") if "data-upload" in each]

    assert any(said in text for _, text in html.texts)
    assert box["data-largest"] == str(largest)

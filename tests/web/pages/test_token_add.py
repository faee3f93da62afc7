"""The page on which a personal token is made."""

import pytest

from support.pages import read
from synapse_nextgen_auth.web.pages.account.tokens.page import AddTokenPage
from synapse_nextgen_auth.web.pages.account.tokens.samples import SAMPLES


@pytest.mark.parametrize(("sample", "is_told"), [("new", True), ("for a member", False)])
def test_only_who_may_make_one_for_accounts_is_told_of_its_device(sample, is_told):
    """That choice is not on the page of a member."""
    text = read(SAMPLES[AddTokenPage][sample]).text("main")

    assert ("A token for accounts of this server alone gets none." in text) is is_told

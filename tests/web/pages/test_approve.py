"""The pages about one dangerous operation."""

import attrs

from support.pages import DIRECTORY, read, wording
from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.web.pages.approve.page import ApprovedPage
from synapse_nextgen_auth.web.pages.approve.samples import APPROVE
from synapse_nextgen_auth.web.pages.samples import BARE


def test_every_operation_has_its_own_words():
    """Each operation explains itself before and after."""
    before = [attrs.evolve(APPROVE, operation=kind) for kind in Operation]
    after = [ApprovedPage(kind, "example.org", 10) for kind in Operation]

    assert len(set(wording(before))) == len(set(wording(after))) == len(Operation)


def test_all_hosts_that_may_stand_behind_an_application_are_named():
    """Any of them may have the tokens, so none is left out and none is a link."""
    several = attrs.evolve(BARE, others=("one.example", "two.example"))
    page = read(attrs.evolve(APPROVE, client=several))

    assert "gomuks.app or one.example or two.example" in page.text("main")


def test_a_place_stands_beside_the_address_where_it_is_known():
    """As beside devices and events; where nobody knows it, there is no empty line."""
    known, unknown = read(APPROVE), read(attrs.evolve(APPROVE, place=None))

    assert "192.0.2.7" in known.text("dl")
    assert "Roughly in: Berlin, Germany" in known.text("dl")
    assert "Roughly in" not in unknown.text("dl")


def test_approved_is_not_done():
    """The page says that the application has yet to act, until when, and tells it to."""
    html = read(ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 10))

    assert "return to your app" in html.text("h1")
    assert "10 minutes" in html.text("main")
    assert "not happened yet" in html.text("main")
    assert html.all("script")[0]["src"].endswith("/approved.js")
    assert b'postMessage("authDone", "*")' in (DIRECTORY / "static/approved.js").read_bytes()

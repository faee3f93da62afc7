"""Links with which people set their passwords: one at a time, once, and worthless after any change."""

from functools import partial

import attrs

from support.records import ADDRESS, ALICE, BOB, NOW, a_sign_in
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.outbox import SendMail
from synapse_nextgen_auth.flows import end_session, links
from synapse_nextgen_auth.store import links as rows
from synapse_nextgen_auth.store import sign_ins

MAIL = SendMail("a-mail", "sealed", 0)


def a_link(name="one", **fields):
    usual = {"kind": LinkKind.COMMAND, "user_id": ALICE}
    return Link(**{"digest": name, **usual, "created_at": NOW, "expires_at": NOW + 3600} | fields)


def make(tables, link, **given):
    return tables.run(links.make, link, now=link.created_at, **given)


def is_good(tables, name, at=1):
    return tables.run(rows.get, name).is_good(NOW + at)


def test_c251_a_link_is_good_until_its_time_is_over(tables):
    make(tables, a_link())

    assert is_good(tables, "one", 3599)
    assert not is_good(tables, "one", 3600)
    assert not tables.run(links.use, a_link(), now=NOW + 3600)


def test_c251_a_link_is_spent_once(tables, transact):
    """Whoever is second is told so, however close."""
    make(tables, a_link())

    assert transact(partial(links.use, link=a_link(), now=NOW + 1)) is True
    assert transact(partial(links.use, link=a_link(), now=NOW + 2)) is False


def test_c251_a_newer_link_voids_the_older_ones_of_that_account_alone(tables):
    make(tables, a_link("one"))
    make(tables, a_link("other", user_id=BOB))

    make(tables, a_link("two", created_at=NOW + 1))

    assert [is_good(tables, name, 2) for name in ("one", "two", "other")] == [False, True, True]


def test_a_link_that_is_made_twice_is_one_and_mailed_once(tables):
    """The main process died after it was made, and does it again."""
    link = a_link(kind=LinkKind.RECOVERY)

    assert make(tables, link, mails=[MAIL])
    assert not make(tables, link, mails=[attrs.evolve(MAIL, mail="another")])
    assert tables.query("SELECT subject FROM nextgen_outbox") == [("a-mail",)]
    assert tables.query("SELECT kind, detail FROM nextgen_events") == [
        ("password_link_made", "recovery")
    ]


def test_why_an_operator_made_it_is_written_down(tables):
    make(tables, a_link(), why="lost the phone")

    assert tables.query("SELECT user_id, detail FROM nextgen_events") == [
        (ALICE, "command: lost the phone")
    ]


def test_a_password_that_could_not_be_set_gives_the_link_back(tables):
    make(tables, a_link())
    tables.run(links.use, a_link(), now=NOW + 1)

    tables.run(rows.give_back, "one", used_at=NOW)  # of another press
    assert not is_good(tables, "one")
    tables.run(rows.give_back, "one", used_at=NOW + 1)
    assert is_good(tables, "one")


def test_c255_a_new_password_signs_every_browser_out_and_tells_the_owner(tables):
    """Others are none of its business."""
    for name, user_id in (("first", ALICE), ("second", ALICE), ("third", BOB)):
        tables.run(sign_ins.add, a_sign_in(name, user_id=user_id))
    make(tables, a_link())
    tables.run(links.use, a_link(), now=NOW + 1)

    tables.run(links.password_set, a_link(), mails=[MAIL], address=ADDRESS, now=NOW + 2)

    assert tables.query("SELECT user_id FROM nextgen_browsers WHERE ended_at IS NULL") == [(BOB,)]
    assert tables.query("SELECT subject FROM nextgen_outbox") == [("a-mail",)]
    assert ("password_set", ADDRESS) in tables.query("SELECT kind, address FROM nextgen_events")


def test_c255_whatever_withdraws_makes_links_worthless(tables):
    """A change of the password elsewhere, a lock, a sign-out everywhere."""
    for at, flow in enumerate((end_session.withdraw, end_session.sign_out_everywhere)):
        make(tables, a_link(f"link {at}", created_at=NOW + at))

        tables.run(flow, ALICE, now=NOW + at)

        assert not is_good(tables, f"link {at}", at + 1)

"""What goes with an account that is closed."""

from support.records import ADDRESS, ALICE, BOB, NOW
from synapse_nextgen_auth.flows import close_account
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.store import consents


def test_c302_what_its_person_agreed_to_goes_with_it(tables):
    """And nothing of another account."""
    with tables.begin() as txn:
        for user_id in (ALICE, BOB):
            consents.remember(txn, user_id=user_id, client_id="app", scope="openid", now=NOW)

    tables.run(close_account.clear, ALICE)

    assert tables.query("SELECT user_id FROM nextgen_consents") == [(BOB,)]


def test_that_it_was_its_person_is_written_down(tables):
    tables.run(close_account.note, Owner(user_id=ALICE, now=NOW, address=ADDRESS))

    assert tables.query("SELECT kind, user_id, address FROM nextgen_events") == [
        ("account_deactivated", ALICE, ADDRESS)
    ]

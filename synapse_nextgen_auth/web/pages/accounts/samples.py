"""Samples of the page on which a person chooses an account."""

import attrs

from synapse_nextgen_auth.web.pages.accounts.page import AccountLine, AccountsPage
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.pages.samples import (
    ELEMENT,
    LONG,
    LONG_ID,
    RIGHT_TO_LEFT,
    UGLY,
)

ALICE = AccountLine("@alice:example.org", "Alice Liddell", is_present=True)
WORK = AccountLine("@alice.work:example.org", is_barred=True)
GROUP = AccountLine("@lab-group:example.org", "Laboratory group")
BOB = "@bob:example.org"

ACCOUNTS = AccountsPage(
    csrf="c5rf",
    action="accounts?grant=8a1f",
    server_name="example.org",
    accounts=(ALICE, WORK, GROUP),
    client=ELEMENT,
    can_cancel=True,
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    AccountsPage: {
        "plain": ACCOUNTS,
        "alone": attrs.evolve(ACCOUNTS, client=None, can_cancel=False, action="accounts"),
        "hinted": attrs.evolve(ACCOUNTS, accounts=(ALICE,), present=ALICE.user_id, asked_for=BOB),
        "hinted_address": attrs.evolve(
            ACCOUNTS, accounts=(ALICE,), present=ALICE.user_id, asked_for="bob@example.com"
        ),
        "hinted_here": attrs.evolve(
            ACCOUNTS,
            accounts=(ALICE, attrs.evolve(GROUP, is_asked_for=True)),
            present=ALICE.user_id,
            asked_for=GROUP.user_id,
        ),
        "only": attrs.evolve(
            ACCOUNTS, accounts=(), present=ALICE.user_id, asked_for=BOB, is_only=True
        ),
        "only_nobody": attrs.evolve(ACCOUNTS, accounts=(), asked_for=BOB, is_only=True),
        "long": attrs.evolve(
            ACCOUNTS,
            client=UGLY,
            accounts=(AccountLine(LONG_ID, LONG, is_present=True, is_barred=True),) * 3,
            present=LONG_ID,
            asked_for=LONG_ID,
            server_name=LONG,
        ),
        "rtl": attrs.evolve(
            ACCOUNTS,
            client=ClientCard(RIGHT_TO_LEFT, "example.com"),
            accounts=(attrs.evolve(ALICE, display_name=RIGHT_TO_LEFT), GROUP),
        ),
    },
}

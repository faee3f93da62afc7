"""Samples of the page about a profile."""

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.web.pages.account.profile.page import (
    AddressLine,
    NameProblem,
    ProfilePage,
)
from synapse_nextgen_auth.web.pages.account.samples import framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

MAIL = AddressLine("alice@example.com", 1792658400, "account-address-remove?id=8a1f")
PHONE = AddressLine("+49 151 23456789", 1795336800, "account-address-remove?id=8a20")
PROFILE = ProfilePage(
    **framed(Place.PROFILE),
    action="account-profile",
    name="Alice Liddell",
    longest_name=256,
    picture_url="account-avatar",
    largest_picture=10 * 2**20,
    has_picture=True,
    emails=(MAIL,),
    email_url="account-email",
    phone_url="account-phone",
    deactivate_url="account-deactivate",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    ProfilePage: {
        "plain": PROFILE,
        "outdated": attrs.evolve(PROFILE, is_outdated=True),
        "nothing": attrs.evolve(PROFILE, name="", has_picture=False, emails=()),
        "no_mail": attrs.evolve(PROFILE, emails=(), takes_emails=False),
        "small pictures": attrs.evolve(PROFILE, largest_picture=500 * 2**10),
        "phones": attrs.evolve(PROFILE, phones=(PHONE,), takes_phones=True),
        "fixed": attrs.evolve(
            PROFILE,
            may_name=False,
            may_picture=False,
            may_change_addresses=False,
            takes_emails=False,
            phones=(PHONE,),
        ),
        "suspended": attrs.evolve(PROFILE, may_name=False, may_picture=False, is_suspended=True),
        "long": attrs.evolve(
            PROFILE,
            name=LONG,
            user_id=LONG_ID,
            emails=(attrs.evolve(MAIL, address=f"{LONG[:64]}@{LONG[:60]}.example"),),
        ),
        **{each.value: attrs.evolve(PROFILE, problem=each) for each in NameProblem},
        **{
            each.value: attrs.evolve(PROFILE, done=each)
            for each in (
                Done.NAME_CHANGED,
                Done.PICTURE_REMOVED,
                Done.PICTURE_CHANGED,
                Done.ADDRESS_ADDED,
                Done.ADDRESS_REMOVED,
                Done.ADDRESS_STAYS_LISTED,
            )
        },
    },
}

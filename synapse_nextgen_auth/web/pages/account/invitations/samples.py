"""Samples of the page about invitations."""

import attrs

from synapse_nextgen_auth.accounts.management import Done, Place
from synapse_nextgen_auth.web.pages.account.invitations.page import (
    InvitationLine,
    InvitationsPage,
    Problem,
)
from synapse_nextgen_auth.web.pages.account.samples import framed
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, RIGHT_TO_LEFT

_TOKEN = "abcdefghijkmnpqrstuvwxyz23"  # noqa: S105 (nobody's)
_OPEN = InvitationLine(
    1_800_000_000,
    1_800_604_800,
    "Come and see the garden!",
    token=_TOKEN,
    url=f"https://example.org/_synapse/client/auth/register?token={_TOKEN}",
)
_SILENT = attrs.evolve(_OPEN, text=None, made_at=1_799_990_000)
_HELD = attrs.evolve(_OPEN, text="Hello Eve", is_held=True)
_USED = InvitationLine(1_799_000_000, 1_799_604_800, "Hello Bob", is_used=True)
_OVER = InvitationLine(1_799_000_000, 1_799_604_800)
_HOSTILE = attrs.evolve(_OPEN, text=f"<script>{RIGHT_TO_LEFT}")
_SOME = InvitationsPage(
    **framed(Place.INVITATIONS),
    action="account-invitations",
    open=(_OPEN, _SILENT, _HELD),
    former=(_USED, _OVER),
    left=3,
    quota=5,
    longest=500,
    is_offered=True,
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    InvitationsPage: {
        "some": _SOME,
        "none": attrs.evolve(_SOME, open=(), former=(), left=5),
        "made": attrs.evolve(_SOME, done=Done.INVITED),
        "withdrawn": attrs.evolve(
            _SOME, left=2, done=Done.INVITATION_WITHDRAWN, free_at=1_800_086_400
        ),
        "all withdrawn": attrs.evolve(_SOME, open=(), left=0, free_at=1_800_086_400),
        "last": attrs.evolve(_SOME, left=1),
        "full": attrs.evolve(_SOME, left=0, problem=Problem.NO_MORE, typed="Once more"),
        "missing": attrs.evolve(_SOME, problem=Problem.NOT_THERE),
        "too long": attrs.evolve(_SOME, typed="a" * 501, problem=Problem.TOO_LONG),
        "suspended": attrs.evolve(_SOME, is_suspended=True),
        "off": attrs.evolve(_SOME, is_offered=False, open=(), former=()),
        "hostile": attrs.evolve(_SOME, open=(_HOSTILE, attrs.evolve(_OPEN, text=LONG))),
    },
}

"""Samples of the pages of whoever forgot their password."""

import attrs

from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.recovery.page import (
    RecoveryAskedPage,
    RecoveryError,
    RecoveryPage,
)
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID

_PLAIN = RecoveryPage(
    csrf="c5rf",
    action="recover?grant=8a1f",
    sign_in_url="sign-in?grant=8a1f",
    server_name="example.org",
)
_ASKED = RecoveryAskedPage(
    server_name="example.org",
    address="anna@example.org",
    minutes=60,
    sign_in_url="sign-in?grant=8a1f",
    again_url="recover?grant=8a1f",
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    RecoveryPage: {
        "plain": _PLAIN,
        "long": attrs.evolve(_PLAIN, server_name=LONG_ID.partition(":")[2], address=LONG[:255]),
        **{
            kind.value: attrs.evolve(_PLAIN, error=kind, address="<b>\"'&@x", retry_after=290)
            for kind in RecoveryError
        },
    },
    RecoveryAskedPage: {
        "plain": _ASKED,
        "one_minute": attrs.evolve(_ASKED, minutes=1),
        "long": attrs.evolve(_ASKED, address=f"{LONG[:200]}@<svg onload=alert(1)>.example"),
    },
}

"""The page that says why a way through a provider ended; it answers at Synapse's addresses too."""

from urllib.parse import urlencode, urlsplit

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.web.pages.onward import ANOTHER
from synapse_nextgen_auth.web.pages.providers.page import TroublePage
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site

_STATUS = {
    Trouble.UNAVAILABLE: 503,
    Trouble.NOT_ALLOWED: 403,
    Trouble.NO_ACCOUNT: 403,
    Trouble.OTHER_ACCOUNT: 403,
    Trouble.NOT_FRESH: 403,
    Trouble.DOES_NOT_SAY: 403,
    Trouble.DEACTIVATED: 403,
    Trouble.OTHER_BROWSER: 403,
}


# Somebody else may get in, and a provider that knows its person would not ask who comes.
_ANOTHER = {
    Trouble.OTHER_ACCOUNT,
    Trouble.DEACTIVATED,
    Trouble.NOT_ALLOWED,
    Trouble.NO_ACCOUNT,
}

# An attempt that is over, or another browser's, is nothing to go on with; nor is one that nobody knows.
_NO_WAY_BACK = {Trouble.OVER, Trouble.OTHER_BROWSER, Trouble.OTHER_TAB}


def show(
    site: Site,
    reader: Reader,
    kind: Trouble,
    start: Start,
    *,
    account: str | None = None,
    onward: str | None = None,
) -> Outgoing:
    """Say what went wrong, with a way to begin again where the attempt was to go on.

    `onward` is the page of that, where the attempt is over.
    """
    provider = site.providers.known.get(start.provider_id)
    again = "" if kind in _NO_WAY_BACK else f"?{urlencode(_again(kind, start))}"
    forward = onward or (Place.SIGN_IN.value if start.connects else f"sign-in{again}")
    page = TroublePage(
        kind=kind,
        server_name=site.server_name,
        provider_name=provider.name if provider else start.provider_id,
        # Synapse's addresses answer with it, too.
        again_url=f"{urlsplit(site.issuer.identifier).path}{forward}",
        account=account,
        connects=start.connects,
    )
    return reader.answer(page, _STATUS.get(kind, 400))


def _again(kind: Trouble, start: Start) -> dict[str, str]:
    """Return what the sign-in page is told; no provider lets in the wrong person twice, unasked."""
    is_another = start.is_another or kind in _ANOTHER
    return {"attempt": start.attempt_id, **(ANOTHER if is_another else {})}

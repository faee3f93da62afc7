"""What a client asks by way of a browser: in a query, in its own form, or repeated by a page of ours.

A form of another site comes without our cookie (`SameSite=Lax`), so we ask once more.
"""

import json
from urllib.parse import urlencode

from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import forms
from synapse_nextgen_auth.web.browser import is_from_elsewhere
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site

# The field in which a page of ours repeats a whole request; no client has a parameter of this name.
AGAIN = "synapse_nextgen_auth_again"


@frozen
class Asked:
    """What a request asks, who reads the answer, and whether one of our own pages repeats it."""

    parameters: Parameters
    reader: Reader
    is_again: bool = False


def read(incoming: Incoming, reader: Reader) -> Asked:
    """Read the query, and the body of a form with it: one that stands in both is a repeated one.

    Neither place may be ignored in silence: a client might have checked the other one.
    """
    if incoming.method != "POST":
        return Asked(forms.parse(incoming.query), reader)
    parameters = forms.parse(b"&".join((incoming.query, incoming.body)))
    again = _unpack(parameters.get(AGAIN))
    return Asked(again or parameters, reader, is_again=again is not None)


def pack(parameters: Parameters) -> str:
    """Write a request into one field of a form: browsers change the line ends in what they send."""
    return json.dumps(dict(parameters.values), ensure_ascii=False)


def _unpack(text: str | None) -> Parameters | None:
    """Read it back; `None` for what no page of ours wrote, an unknown parameter like any other."""
    if text is None:
        return None
    try:
        values = forms.parse_json(text.encode("utf-8"))
        if not isinstance(values, dict):
            return None
        # Through the same door as any other request: anybody can write such a field.
        return forms.parse(urlencode(values).encode("ascii"))
    except (TypeError, ValueError, OAuthError):
        return None


def lost_its_cookie(site: Site, incoming: Incoming, asked: Asked) -> bool:
    """Say whether a form of the client's site came without our cookie, which a link would bring.

    Answering it would give the browser a new cookie, and so sign out whoever is signed in.
    """
    if incoming.method != "POST" or site.cookies.read(incoming) is not None:
        return False
    return not asked.is_again or is_from_elsewhere(incoming, site.origin)

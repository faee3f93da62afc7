"""Samples of the pages between a person and the application."""

import attrs

from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, UGLY
from synapse_nextgen_auth.web.pages.way_back.page import (
    AskAgainPage,
    FormPostPage,
    Refusal,
    RefusedPage,
    WayBackPage,
)

FORM_POST = FormPostPage(
    action="https://wiki.example.net/callback",
    fields=(("code", "mcode_x"), ("state", "xyz"), ("iss", "https://example.org/")),
    server_name="example.org",
    client=ELEMENT,
)

REFUSED = RefusedPage(
    kind=Refusal.MISTAKE,
    server_name="example.org",
    client=ELEMENT,
    destination="wiki.example.net",
    detail="invalid_scope: The scope is not known here",
    forward_url="https://wiki.example.net/callback?error=invalid_scope&state=xyz#",
)

WAY_BACK = WayBackPage("https://wiki.example.net/callback?code=x#", "example.org", ELEMENT)

ASK_AGAIN = AskAgainPage("authorize", '{"client_id": "x"}', "example.org", ELEMENT)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    FormPostPage: {
        "plain": FORM_POST,
        "unknown": attrs.evolve(FORM_POST, client=None),
        "long": attrs.evolve(FORM_POST, client=UGLY, server_name=LONG),
    },
    WayBackPage: {
        "plain": WAY_BACK,
        "unknown": attrs.evolve(WAY_BACK, client=None),
        "app": attrs.evolve(WAY_BACK, forward_url="io.element.app:/back?code=x"),
        "long": WayBackPage(f"https://{LONG}/", LONG, UGLY),
    },
    AskAgainPage: {
        "plain": ASK_AGAIN,
        "unknown": attrs.evolve(ASK_AGAIN, client=None),
        "signs_out": attrs.evolve(ASK_AGAIN, action="end-session", signs_out=True),
        "long": attrs.evolve(ASK_AGAIN, request=LONG, server_name=LONG, client=UGLY),
    },
    RefusedPage: {
        **{kind.value: attrs.evolve(REFUSED, kind=kind) for kind in Refusal},
        "app": attrs.evolve(
            REFUSED, destination="io.element.app:", forward_url="io.element.app:/back?error=x"
        ),
        "form": attrs.evolve(
            REFUSED,
            forward_url=None,
            redirect_uri=FORM_POST.action,
            fields=(("error", "x"), ("state", "xyz")),
        ),
        "long": RefusedPage(
            Refusal.MISTAKE, LONG, UGLY, UGLY.host, LONG * 3, f"https://{UGLY.host}/"
        ),
    },
}

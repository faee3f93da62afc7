"""Samples of the page that asks whether to sign out."""

import attrs

from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.end_session.page import EndSessionPage
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, LONG_ID, UGLY

END_SESSION = EndSessionPage(
    csrf="c5rf",
    action="sign-out",
    server_name="example.org",
    user_id="@alice:example.org",
    client=ELEMENT,
    fields=(("client_id", "01H"), ("state", "xyz")),
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    EndSessionPage: {
        "plain": END_SESSION,
        "nobody_knows_who": attrs.evolve(END_SESSION, client=None, fields=()),
        "several": attrs.evolve(END_SESSION, others=2),
        "others_only": attrs.evolve(END_SESSION, user_id=None, others=2),
        "long": attrs.evolve(
            END_SESSION,
            user_id=LONG_ID,
            server_name=LONG,
            client=UGLY,
            fields=(("state", "\"'><svg onload=alert(1)>"),),
        ),
    },
}

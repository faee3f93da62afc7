"""Samples of the page that can only say something."""

import attrs

from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message, MessagePage
from synapse_nextgen_auth.web.pages.samples import ELEMENT, LONG, UGLY

MESSAGE = MessagePage(Message.NOT_FOUND, "example.org")

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    MessagePage: {
        **{kind.value: attrs.evolve(MESSAGE, kind=kind) for kind in Message},
        "full": MessagePage(
            Message.BAD_REDIRECT_URI,
            "example.org",
            reference="7f3c9a12",
            detail="redirect_uri is not registered: https://app.element.io/callback?step=2",
            forward_url="https://element.io/",
            forward_label=ForwardLabel.OTHER_ACCOUNT,
            client=ELEMENT,
        ),
        "too_late": MessagePage(
            Message.REQUEST_EXPIRED,
            "example.org",
            forward_url="https://app.element.io/?error=access_denied",
            forward_label=ForwardLabel.APPLICATION,
            client=ELEMENT,
        ),
        "retry": MessagePage(
            Message.UNAVAILABLE,
            "example.org",
            reference="7f3c9a12",
            forward_url=f"{PREFIX}/home",
            forward_label=ForwardLabel.TRY_AGAIN,
        ),
        "waiting": MessagePage(Message.TOO_MANY_REQUESTS, "example.org", retry_after=700),
        "taken": MessagePage(
            Message.DEVICE_TAKEN,
            "example.org",
            forward_url="link",
            forward_label=ForwardLabel.TRY_AGAIN,
            devices_url="account",
        ),
        "long": MessagePage(Message.BAD_REQUEST, LONG, LONG, LONG * 9, "home", None, UGLY),
    },
}

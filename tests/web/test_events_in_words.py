"""Every kind of event has a sentence of its own on the page."""

import re

from support.pages import TEMPLATES
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.web.pages.account.events.page import EventsPage
from synapse_nextgen_auth.web.pages.samples import samples_of


def test_every_kind_of_event_is_said_in_words_of_its_own():
    """A kind without a sentence would be told as "something"; no two are told alike."""
    html = TEMPLATES.render(samples_of(EventsPage)["every kind"], lang="en")
    said = re.findall(r'<p class="row-title"><bdi>(.*?)</bdi>', html, re.DOTALL)

    assert len(said) == len(EventKind)
    assert len({text.strip() for text in said}) == len(EventKind)
    assert not [text for text in said if "no words here yet" in text]

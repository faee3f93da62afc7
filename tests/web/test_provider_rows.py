"""The picture of a provider in the account is the one of its button on the sign-in page."""

import re

import attrs
import pytest

from support.pages import TEMPLATES
from synapse_nextgen_auth.web.pages.account.ways.page import Connectable, Connected
from synapse_nextgen_auth.web.pages.account.ways.samples import WAYS
from synapse_nextgen_auth.web.pages.content import ProviderCard
from synapse_nextgen_auth.web.pages.sign_in import samples

_PICTURE = re.compile(r'<(?:img|span) class="provider-icon[^>]*>(?:\w</span>)?')


@pytest.mark.parametrize(
    ("card", "has"),
    [
        (ProviderCard("works", "Works", "provider-icon?of=works"), 'src="provider-icon?of=works"'),
        (ProviderCard("hub", "Hub", brand="github"), "/brand-github.svg"),
        (ProviderCard("oak", "Oak"), ">O</span>"),
    ],
)
def test_a_provider_has_the_same_picture_everywhere(card, has):
    """Whether it is connected or may be."""
    rows = attrs.evolve(
        WAYS, connected=(Connected(card, "a", "x"),), connectable=(Connectable(card, "y"),)
    )
    found = _PICTURE.findall(TEMPLATES.render_own(rows))
    (button,) = _PICTURE.findall(
        TEMPLATES.render_own(attrs.evolve(samples.WAYS, providers=(card,)))
    )

    assert has in button
    assert found == [button, button]

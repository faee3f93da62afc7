"""People are told everything that they grant: each permission of the table has words of its own."""

import re
from pathlib import Path

import attrs
import jinja2
import pytest
from jinja2 import nodes

from synapse_nextgen_auth.oauth.scopes.permissions import DEVICE, PERMISSIONS, ROOM, Permission
from synapse_nextgen_auth.web.pages.consent.page import ConsentPage
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.device.page import DeviceGrantPage
from synapse_nextgen_auth.web.templates import Templates

TEMPLATES = Templates("/_synapse/client/auth")
WORDS = Path(__file__).resolve().parents[2] / "templates" / "components" / "permissions.html"
DEVICE_ID = "HJKLQWERTY"
CONSENT = ConsentPage(
    csrf="c5rf",
    action="consent?grant=8a1f",
    server_name="example.org",
    client=ClientCard("Element X", "element.io"),
    user_id="@alice:example.org",
    permissions=(),
    redirect_host="app.element.io",
)
DEVICE_GRANT = DeviceGrantPage(
    csrf="c5rf",
    action="device?grant=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    permissions=(),
    user_code="BCD-FGH-JKL",
    asked_at=1795336800,
    asked_minutes=2,
)
PAGES = pytest.mark.parametrize("page", [CONSENT, DEVICE_GRANT], ids=["consent", "device"])


def said(page, *permissions):
    """Return what a page says of these permissions, sentence by sentence."""
    device_id = DEVICE_ID if DEVICE in {one.scope for one in permissions} else None
    html = TEMPLATES.render(attrs.evolve(page, permissions=permissions, device_id=device_id))
    main = html[html.index("<main") : html.index("</main>")]
    return {" ".join(text.split()) for text in re.split(r"<[^>]*>", main)} - {""}


def words_of(page, permission):
    """Return what a page that asks for everything says because of this permission alone."""
    # What is for some rooms alone leaves out what belongs to none.
    asked = [one for one in PERMISSIONS if permission.scope == ROOM or one.scope != ROOM]
    others = (other for other in asked if other is not permission)
    return said(page, *asked) - said(page, *others) - {page.server_name}


@PAGES
@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda one: one.scope)
def test_whatever_is_granted_is_shown_in_words(page, permission):
    """A permission says something that no page without it says: in a line, a warning or a fact."""
    own = words_of(page, permission)

    assert DEVICE_ID in own if permission.scope == DEVICE else len(" ".join(own).split()) >= 4


@PAGES
def test_c311_what_is_grave_never_stands_among_the_others(page):
    """Power over the server is a warning before the list, and in no line of it."""
    grave = [one for one in PERMISSIONS if one.grave]
    html = TEMPLATES.render(attrs.evolve(page, permissions=PERMISSIONS))
    before, _, after = html.partition('<ul class="points">')

    assert grave
    for one in grave:
        for sentence in words_of(page, one):
            assert sentence in before
            assert sentence not in after


def test_no_words_are_left_over():
    """A text about what cannot be granted any more is taken off."""
    tree = TEMPLATES._environment.parse(WORDS.read_text("utf-8"))
    asked, in_short = tree.find_all(nodes.Dict)

    for words in (asked, in_short):
        known = [pair.key.as_const() for pair in words.items]
        assert sorted(known) == sorted(one.scope for one in PERMISSIONS if one.scope != DEVICE)


@PAGES
@pytest.mark.parametrize("permission", [Permission(scope="x"), Permission(scope="x", grave=True)])
def test_a_permission_without_words_is_an_error(page, permission):
    """Better no page than one that leaves out what the person would grant."""
    with pytest.raises(jinja2.UndefinedError):
        said(page, permission)

"""The consent page."""

import attrs
import pytest

from support.pages import decisions, every_field, read, wording
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import PERMISSIONS, READ, ROOM
from synapse_nextgen_auth.web.pages.approve.samples import APPROVE
from synapse_nextgen_auth.web.pages.consent.page import ConsentPage
from synapse_nextgen_auth.web.pages.consent.samples import CONSENT, SAMPLES
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.samples import ADMIN, API, BARE, DEVICE_SCOPE, ELEMENT, LOCAL


def test_c198_hostile_text_is_shown_as_it_is():
    """The person sees exactly what was sent, not what a template engine made of it."""
    hostile = every_field(CONSENT, lambda name, _: f"{name} {{{{7*7}}}} <b>&amp;\"'")
    html = read(hostile)
    shown = html.text("main") + html.text("header")

    for name in ("name", "host", "user_id", "display_name", "device_id", "redirect_host"):
        assert f"{name} {{{{7*7}}}} <b>&amp;\"'" in shown


def test_every_permission_has_its_own_words():
    """Each permission reads differently, and no page shows one that was not asked for."""
    by_scope = {kind.scope: kind for kind in PERMISSIONS}
    pages = [
        # One that only narrows another opens nothing by itself, and is never shown alone.
        attrs.evolve(CONSENT, permissions=(kind, by_scope[READ]) if kind.scope == ROOM else (kind,))
        for kind in PERMISSIONS
    ]

    assert len(set(wording(pages))) == len(PERMISSIONS)


def test_consent_names_the_parties_and_what_is_at_stake():
    """The person reads who asks, for which account, where it goes next, and the ways out."""
    html = read(attrs.evolve(CONSENT, replaces="Old phone"))
    text = html.text("main")

    for fact in ("Element X", "element.io", "@alice:example.org", "app.element.io", "Old phone"):
        assert fact in text
    assert decisions(html) == ["approve", "switch", "cancel"]
    assert {ELEMENT.uri, ELEMENT.tos_uri, ELEMENT.policy_uri} == {
        link["href"] for link in html.all("a")
    }


def test_consent_to_a_sign_in_is_not_consent_to_act():
    """An application that only wants to know who it is does not seem to ask for more."""
    acts, knows = read(CONSENT), read(SAMPLES[ConsentPage]["web"])

    assert "use your account" in acts.text("main")
    assert "use your" not in knows.text("main")
    assert acts.text("h1") != knows.text("h1")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "com.example.app:"])
def test_an_application_on_the_device_is_known_by_no_host(host):
    """The consent page says where it is; elsewhere it is on the device that it signed in."""
    local = ClientCard("Scripts", host, f"http://{host}/")

    consent = read(attrs.evolve(CONSENT, client=local)).text("main")
    assert "an application on this device" in consent
    assert "you have just started it yourself" in consent
    assert "Go on only if you know" not in consent
    devices = read(attrs.evolve(APPROVE, client=local)).text("main")
    assert "an application on the device itself" in devices


def test_an_application_that_gives_no_name_chose_none():
    """The sentence about its name would be wrong, in both its forms."""
    for card in (BARE, LOCAL):
        nameless = attrs.evolve(card, name=card.host, is_named=False)
        assert "chose its own name" in read(attrs.evolve(CONSENT, client=card)).text("main")
        text = read(attrs.evolve(CONSENT, client=nameless)).text("main")
        assert "gives no name" in text
        assert "chose its own name" not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_an_application_on_this_computer_is_called_that(host):
    """Loopback is a word to nobody; that the answer stays on the computer is worth knowing."""
    assert f"{host} (an application on this computer)" in read(
        attrs.evolve(CONSENT, redirect_host=host)
    ).text("dd")
    assert "on this computer" not in read(CONSENT).text("main")


def test_an_app_is_called_that():
    """A scheme says little to most people: it means that an app opens."""
    text = read(attrs.evolve(CONSENT, redirect_host="io.element:")).text("dd")

    assert "io.element (an app on this device)" in text
    assert "on this device" not in read(CONSENT).text("main")


def test_c311_administration_is_never_a_line_among_others():
    """Power over the server gets a warning of its own and a red button."""
    html = read(
        attrs.evolve(
            CONSENT, permissions=grammar.parse(f"{API} {DEVICE_SCOPE} {ADMIN}").permissions
        )
    )
    classes = " ".join(found.get("class", "") for _, found in html.elements)

    assert "notice-danger" in classes
    assert "button-danger" in classes
    assert "administer" in html.text("main")
    assert "administer" not in html.text("ul")
    assert "administer" not in read(CONSENT).text("main")


@pytest.mark.parametrize("page", [CONSENT, APPROVE])
def test_c178_only_the_approving_button_waits(page):
    """The script that keeps a double click from approving finds exactly one button."""
    html = read(page)
    held = [button["value"] for button in html.all("button") if "data-hold" in button]

    assert held == ["approve"]
    assert html.all("script")[0]["src"].endswith("/hold.js")

"""The sign-in page."""

import attrs
import pytest

from support.pages import decisions, named, read, wording
from synapse_nextgen_auth.accounts.ways import Ways
from synapse_nextgen_auth.web.pages.sign_in.page import SignInError, SignInPage
from synapse_nextgen_auth.web.pages.sign_in.samples import PROVIDERS, SAMPLES, SIGN_IN, WAYS


def test_every_sign_in_error_has_its_own_words():
    """Each kind is announced, in different words, and the title says that there is an error."""
    pages = [attrs.evolve(SIGN_IN, error=kind) for kind in SignInError]

    assert len(set(wording(pages))) == len(SignInError)
    for page in pages:
        html = read(page)
        assert [found for _, found in html.elements if found.get("role") == "alert"]
        assert html.text("title").startswith("Error: ")


def test_a_token_in_the_place_of_a_password_is_called_one():
    """Whoever pasted it hears what it is; of whoever proves again who they are, too."""
    for page in (SIGN_IN, SAMPLES[SignInPage]["again"]):
        wrong = attrs.evolve(page, error=SignInError.WRONG_PASSWORD)
        said = read(attrs.evolve(wrong, is_token=True)).text("main")
        assert "That is a token for a program" in said
        assert "not right" not in said
        assert "token" not in read(wrong).text("main")


def test_the_sign_in_form_speaks_to_password_managers():
    """The fields carry the names that browsers and password managers look for."""
    html = read(SIGN_IN)

    assert named(html, "identifier")["autocomplete"] == "username"
    assert named(html, "password")["autocomplete"] == "current-password"
    assert named(html, "password")["type"] == "password"
    assert html.all("form")[0]["action"] == SIGN_IN.action


def test_cancelling_needs_no_password_and_somewhere_to_go():
    """Enter signs in; Cancel skips the checks, and is there only when an application waits."""
    html = read(SIGN_IN)

    assert decisions(html) == ["sign-in", "cancel"]
    assert "formnovalidate" in html.all("button")[1]
    assert decisions(read(attrs.evolve(SIGN_IN, client=None, can_cancel=False))) == ["sign-in"]


def test_the_identifier_is_kept_and_the_password_is_not():
    """After an error the person types the password again and nothing else."""
    html = read(attrs.evolve(SIGN_IN, identifier="alice", error=SignInError.WRONG_PASSWORD))

    assert named(html, "identifier")["value"] == "alice"
    assert "value" not in named(html, "password")
    assert "autofocus" in named(html, "password")


@pytest.mark.parametrize(
    ("error", "identifier", "wrong"),
    [
        (SignInError.WRONG_PASSWORD, "alice", {"identifier", "password"}),
        (SignInError.TOO_LONG, "alice", {"identifier", "password"}),
        (SignInError.MISSING_FIELDS, "alice", {"password"}),
        (SignInError.MISSING_FIELDS, "", {"identifier", "password"}),
        (SignInError.BUSY, "alice", set()),
        (SignInError.TOO_MANY_ATTEMPTS, "alice", set()),
        (None, "alice", set()),
    ],
)
def test_the_field_that_is_wrong_says_so(error, identifier, wrong):
    """A screen reader hears which field is meant, and the words of the error with it."""
    html = read(attrs.evolve(SIGN_IN, error=error, identifier=identifier))
    marked = [field for field in html.all("input") if field.get("aria-invalid") == "true"]

    assert {field["name"] for field in marked} == wrong
    assert all(field["aria-describedby"] == "sign-in-error" for field in marked)


def test_without_passwords_there_is_nothing_to_type():
    """A server without password login asks for none, and still lets the person go back."""
    html = read(attrs.evolve(SIGN_IN, error=SignInError.PASSWORD_LOGIN_DISABLED))

    assert [field["name"] for field in html.all("input")] == ["csrf"]
    assert decisions(html) == ["cancel"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "a little later"),
        (0, "in 1 second"),
        (1, "in 1 second"),
        (2, "in 2 seconds"),
        (89, "in 89 seconds"),
        (90, "in 2 minutes"),
        (121, "in 3 minutes"),
        (5400, "in 2 hours"),
        (7201, "in 3 hours"),
    ],
)
def test_a_wait_is_told_in_words(seconds, words):
    """Whoever tried too often reads how long to wait, rounded up."""
    kind = SignInError.TOO_MANY_ATTEMPTS

    assert f"Try again {words}." in read(
        attrs.evolve(SIGN_IN, error=kind, retry_after=seconds)
    ).text("main")


def test_the_label_names_what_is_accepted():
    """A person learns whether an e-mail address will do."""
    assert "e-mail" not in read(SIGN_IN).text("label")
    assert "e-mail" in read(
        attrs.evolve(SIGN_IN, ways=attrs.evolve(SIGN_IN.ways, email=True))
    ).text("label")


def offered(html):
    """Return the ids of the providers that a page offers, in order."""
    pressed = [button["value"].partition(":") for button in html.all("button")]
    return [provider for kind, _, provider in pressed if kind == "provider"]


def test_providers_have_a_form_of_their_own():
    """Enter in the password field presses "Sign in", and no provider reads what was typed there."""
    html = read(WAYS)
    actions = [form["action"] for form in html.all("form")]

    assert actions == [WAYS.action] * 3
    assert [field["name"] for field in html.all("input")].count("csrf") == 3
    assert html.text("form").index("Password") < html.text("form").index("Continue with")


def test_the_provider_that_was_used_last_comes_first():
    """And says so; the others stay as the operator has them."""
    html = read(attrs.evolve(WAYS, providers=PROVIDERS[:4], last_provider=PROVIDERS[2].provider_id))
    one, two, three, four = (provider.provider_id for provider in PROVIDERS[:4])

    assert offered(html) == [three, one, two, four]
    assert html.text("form").count("Last used here") == 1
    assert "Fieldstone Last used here" in html.text("form")


@pytest.mark.parametrize(("many", "more"), [(1, 0), (5, 0), (6, 0), (7, 2)])
def test_more_than_six_providers_wait_behind_a_line(many, more):
    """None is left out, the one that was used last is in sight, and a line never hides only one."""
    last = PROVIDERS[many - 1].provider_id
    html = read(attrs.evolve(WAYS, providers=PROVIDERS[:many], last_provider=last))
    hidden = [text for path, text in html.texts if "details" in path and "bdi" in path]

    assert len(offered(html)) == many
    assert offered(html)[0] == last
    assert len(hidden) == more
    assert bool(html.all("details")) == bool(more)


def test_who_is_known_sees_the_providers_that_know_them():
    """The others stand behind a line, whichever of them this browser used last."""
    ways = SAMPLES[SignInPage]["ways_again_linked"]
    html = read(attrs.evolve(ways, last_provider=PROVIDERS[0].provider_id))
    hidden = [text for path, text in html.texts if "details" in path and "bdi" in path]

    assert offered(html)[0] == PROVIDERS[2].provider_id
    assert len(hidden) == len(offered(html)) - 1
    assert hidden[0] == PROVIDERS[0].name


def test_a_provider_without_a_picture_has_its_letter():
    """Nothing is loaded from elsewhere for it."""
    html = read(attrs.evolve(WAYS, providers=PROVIDERS[:2]))

    assert [picture["src"] for picture in html.all("img")][1:] == [PROVIDERS[1].icon_url]
    assert "E" in [text.strip() for path, text in html.texts if path[-2:] == ("button", "span")]


@pytest.mark.parametrize(
    "page",
    [
        attrs.evolve(WAYS, error=SignInError.PASSWORD_LOGIN_DISABLED),
        attrs.evolve(WAYS, ways=Ways()),
    ],
)
def test_where_passwords_are_off_providers_are_the_way(page):
    """Nothing is asked for that nobody can give, and nothing is said to be wrong."""
    html = read(page)

    assert html.text("h1") == "Sign in"
    assert html.text("title").startswith("Sign in")
    assert {field["name"] for field in html.all("input")} == {"csrf"}
    assert not [found for _, found in html.elements if found.get("role") == "alert"]
    assert len(offered(html)) == 3
    assert decisions(html)[-1] == "cancel"


@pytest.mark.parametrize("name", ["modules", "ways", "many_ways"])
def test_of_several_forms_the_way_out_comes_last(name):
    """Whoever wants none of them finds one button for it, and not in the middle."""
    page = SAMPLES[SignInPage][name]
    buttons = decisions(read(page))

    assert buttons.count("cancel") == 1
    assert buttons[-1] == "cancel"
    assert "cancel" not in decisions(read(attrs.evolve(page, client=None, can_cancel=False)))

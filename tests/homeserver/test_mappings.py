"""What Synapse's settings make of a provider's answer is made of it on our pages, too."""

import hashlib
import time
from base64 import urlsafe_b64encode
from urllib.parse import quote, urlencode, urljoin

import pytest
import requests

from support.providers.journey import agree, begin, choose, whoami
from support.providers.person import Person, links
from support.sabotage import AFTER_COMMIT, Plan, Point, Sabotage
from support.waiting import eventually


@pytest.fixture
def homeserver(lying_homeserver):
    return lying_homeserver


def come(server, liar, provider, subject, **claims):
    """Come from an application through a provider as somebody; return the person and the rest."""
    liar.says(subject, **claims)
    person = Person(subject)
    client, verifier = begin(server, person)
    person.get(choose(person, provider))
    return person, client, verifier


def exists(homeserver, user_id):
    return bool(homeserver.query("SELECT 1 FROM users WHERE name = ?", user_id))


def begin_again(person):
    """Follow the one link of a page that says why nobody is signed in."""
    (again,) = [link for link in links(person.page) if "sign-in?attempt=" in link]
    return person.get(urljoin(person.page.url, again))


def test_who_lacks_what_is_required_reads_so_and_may_go_another_way(homeserver, server, liar):
    """`attribute_requirements`: no account is made, and the application's request is not lost."""
    person, client, verifier = come(server, liar, "oidc-members", "lena", groups=["others"])

    assert person.page.status_code == 403
    assert "knows you, but your account there is not allowed to use" in person.page.text
    assert not exists(homeserver, "@lena:localhost")
    begin_again(person)
    liar.says("lena", groups=["others", "matrix"])
    person.get(choose(person, "oidc-members"))
    assert whoami(server, agree(server, person, client, verifier)) == "@lena:localhost"


def test_who_is_required_no_more_is_refused_though_the_account_is_there(homeserver, server, liar):
    """Synapse asks at every sign-in, not only at the first."""
    person, client, verifier = come(server, liar, "oidc-members", "lars", groups=["matrix"])
    agree(server, person, client, verifier)

    person, _, _ = come(server, liar, "oidc-members", "lars", groups=[])

    assert person.page.status_code == 403
    assert "is not allowed to use" in person.page.text


def test_nobody_new_gets_an_account_where_none_is_to_be_made(homeserver, server, liar):
    """`enable_registration: false`: a page says so; whoever has an account goes in."""
    person, _, _ = come(server, liar, "oidc-closed", "mona")

    assert person.page.status_code == 403
    assert "none could be made" in person.page.text
    assert not exists(homeserver, "@mona:localhost")
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    answer = requests.put(
        f"{homeserver.base_url}/_synapse/admin/v2/users/@mona:localhost",
        json={"external_ids": [{"auth_provider": "oidc-closed", "external_id": "mona"}]},
        headers={"Authorization": f"Bearer {admin}"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    person, client, verifier = come(server, liar, "oidc-closed", "mona")
    assert whoami(server, agree(server, person, client, verifier)) == "@mona:localhost"


@pytest.mark.parametrize(("nick", "chosen"), [("nils", "nils"), ("nora", "no-other")])
def test_a_name_that_is_suggested_may_be_changed(homeserver, server, liar, nick, chosen):
    """`confirm_localpart`: it stands in the field, and nothing is made before the person says so."""
    person, client, verifier = come(server, liar, "oidc-confirms", f"of {nick}", nick=nick)

    assert f'value="{nick}"' in person.page.text
    assert not exists(homeserver, f"@{nick}:localhost")
    person.submit(username=chosen, decision="create")

    assert whoami(server, agree(server, person, client, verifier)) == f"@{chosen}:localhost"


def test_a_provider_of_oauth_alone_signs_in(server, liar):
    """Without ID tokens, by what its userinfo endpoint says; the same person the next time."""
    for _ in range(2):
        person, client, verifier = come(server, liar, "oidc-plain", "paula", name="Paula")

        assert whoami(server, agree(server, person, client, verifier)) == "@paula:localhost"
        assert liar.asked[-1]["scope"] == "profile"


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_provider_of_oauth_alone_is_offered_for_a_fresh_sign_in_by_option_only(
    server, liar, changes
):
    """It cannot say when; where the operator believes it, it is offered and it is enough."""
    liar.says("pete")
    person = Person("pete")
    client, verifier = begin(server, person, **changes)
    assert "provider:oidc-plain-trusted" in person.page.text
    assert '"provider:oidc-plain"' not in person.page.text

    person.get(choose(person, "oidc-plain-trusted"))

    assert whoami(server, agree(server, person, client, verifier)) == "@pete:localhost"
    assert [each["prompt"] for each in liar.asked] == ["login"]


def test_a_button_that_was_not_offered_is_none(server, liar):
    """Whoever presses it all the same, in a form of their own, is where they were."""
    liar.says("paul")
    person = Person("paul")
    begin(server, person, prompt="login")

    person.submit(decision="provider:oidc-plain")

    assert "/login/sso/redirect/" not in person.page.text
    assert not liar.asked


@pytest.mark.parametrize("name", ["unknown-one", "anybody"])
def test_a_mapping_that_fails_makes_no_account(homeserver, server, liar, name):
    """Whether it says so or breaks: the page says that there is none, and how to go on."""
    person, _, _ = come(server, liar, "oidc-picky", name)

    assert person.page.status_code == 403
    assert "There is no account on" in person.page.text
    assert not exists(homeserver, f"@{name}:localhost")
    assert "password" in begin_again(person).text


@pytest.mark.parametrize(
    ("provider", "name"), [("oidc-members", "mona"), ("oidc-picky", "unknown-2")]
)
def test_whoever_was_let_in_in_vain_is_asked_there_who_comes(server, liar, provider, name):
    """Else a provider that knows its person lets them in again and again, and nobody else."""
    person, _, _ = come(server, liar, provider, name)
    assert not liar.asked[-1].get("prompt")
    begin_again(person)
    person.get(choose(person, provider))

    assert liar.asked[-1]["prompt"] == "login"


def test_a_start_that_nobody_knows_makes_no_login_token(homeserver, server, liar):
    """As one from before the secret was replaced: Synapse would take our page for a client's."""
    liar.says("rota")
    query = {"attempt": "0" * 32, "provider": "cas", "mac": "A" * 43}
    back = quote(f"{server.url('arrive')}?{urlencode(query)}", safe="")
    ticket = f"/_matrix/client/r0/login/cas/ticket?redirectUrl={back}&ticket=ST-1"
    page = Person("rota").get(homeserver.base_url + ticket)

    assert page.status_code == 400
    assert "This sign-in has ended" in page.text
    assert "loginToken" not in page.text
    assert not exists(homeserver, "@rota:localhost")


def old_client(homeserver, liar, provider, subject, **claims):
    """Sign in as a client of the old kind does; return what `/login` answers."""
    liar.says(subject, **claims)
    return let_in(homeserver, Person(subject), provider, subject)


def let_in(homeserver, person, provider, subject):
    path = f"/_matrix/client/v3/login/sso/redirect/{provider}?redirectUrl=https://app.example/"
    person.get(homeserver.base_url + path)
    if "new-account?" in person.page.url:
        person.submit(username=subject, decision="create")
    person.submit(decision="approve")
    token = person.page.headers["Location"].partition("loginToken=")[2]
    return requests.post(
        f"{homeserver.base_url}/_matrix/client/v3/login",
        json={"type": "m.login.token", "token": token},
        timeout=30,
    ).json()


def test_a_client_of_the_old_kind_hears_what_else_the_mapping_says(homeserver, liar):
    """`get_extra_attributes`, in the answer of `/login`, the first time and later."""
    for badge in ("green", "gold"):
        answer = old_client(homeserver, liar, "oidc-badges", "rita", badge=badge)

        assert answer["user_id"] == "@rita:localhost"
        assert answer["org.example.badge"] == badge


def test_another_client_of_the_same_person_does_not_hear_it(homeserver, liar):
    """Signed in already, nobody came from the provider for that one."""
    liar.says("rosa", badge="red")
    person = Person("rosa")
    first = let_in(homeserver, person, "oidc-badges", "rosa")
    second = let_in(homeserver, person, "oidc-badges", "rosa")

    assert first["org.example.badge"] == "red"
    assert second["user_id"] == "@rosa:localhost"
    assert "org.example.badge" not in second


def test_a_client_of_the_old_kind_hears_it_of_a_new_account_with_a_name_of_its_own(
    homeserver, liar
):
    """The person was asked meanwhile."""
    answer = old_client(homeserver, liar, "oidc-badges-picks", "rolf", badge="blue")

    assert answer["user_id"] == "@rolf:localhost"
    assert answer["org.example.badge"] == "blue"


def test_c265_a_provider_is_asked_with_pkce_and_a_nonce(homeserver, server, liar):
    """S256 where it says that it knows it; neither code, verifier nor secret is written down."""
    person, client, verifier = come(server, liar, "oidc-silent", "sara")
    agree(server, person, client, verifier)

    (asked,), (redeemed,) = liar.asked, liar.redeemed
    assert asked["code_challenge_method"] == "S256"
    hashed = hashlib.sha256(redeemed["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == urlsafe_b64encode(hashed).rstrip(b"=").decode()
    assert asked["nonce"]
    assert asked["state"] != asked["nonce"]
    log = homeserver.log_text()
    for secret in (redeemed["code_verifier"], "only-tests-know-this-one"):
        assert secret not in log


def test_c270_who_is_known_by_one_account_gets_no_other(homeserver, server, liar):
    """`allow_existing_users` finds an account of that name; who has one already stays with it."""
    homeserver.register_user("first")
    homeserver.register_user("second")
    liar.says("conflict", nick="first")
    person, client, verifier = come(server, liar, "oidc-names", "conflict", nick="first")
    assert whoami(server, agree(server, person, client, verifier)) == "@first:localhost"

    person, client, verifier = come(server, liar, "oidc-names", "conflict", nick="second")

    assert whoami(server, agree(server, person, client, verifier)) == "@first:localhost"
    assert homeserver.query(
        "SELECT user_id FROM user_external_ids WHERE external_id = ?", "conflict"
    ) == [("@first:localhost",)]


ADDRESS = "tina@example.com"
MAIL_CLAIMS = {
    "unverified": {"email": ADDRESS, "email_verified": False},
    "verified by a word": {"email": ADDRESS, "email_verified": "true"},
    "verified": {"email": ADDRESS, "email_verified": True},
    "in capitals": {"email": ADDRESS.upper(), "email_verified": True},
    "nothing said": {"email": ADDRESS},
}


@pytest.fixture
def tina(homeserver):
    """Somebody with a password and an address."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    answer = requests.put(
        f"{homeserver.base_url}/_synapse/admin/v2/users/@tina:localhost",
        json={"password": "correct-horse", "threepids": [{"medium": "email", "address": ADDRESS}]},
        headers={"Authorization": f"Bearer {admin}"},
        timeout=30,
    )
    assert answer.status_code in {200, 201}, answer.text


def addresses(homeserver):
    return homeserver.query(
        "SELECT user_id, address FROM user_threepids WHERE LOWER(address) = ?", ADDRESS
    )


@pytest.mark.parametrize("provider", ["oidc-mails", "oidc-mails-picks"])
@pytest.mark.parametrize("claims", MAIL_CLAIMS)
def test_c267_an_address_leads_into_nobodys_account(
    homeserver, server, liar, tina, provider, claims
):
    """Whatever the provider says of it: it is a new account, and the address stays where it is.

    Stock Synapse would take it away from the account that has it.
    """
    subject = f"thief{list(MAIL_CLAIMS).index(claims)}-{provider}"
    person, client, verifier = come(server, liar, provider, subject, **MAIL_CLAIMS[claims])
    if "new-account?" in person.page.url:
        person.submit(username=subject, use_email_1="1", decision="create")

    assert whoami(server, agree(server, person, client, verifier)) == f"@{subject}:localhost"
    assert addresses(homeserver) == [("@tina:localhost", ADDRESS)]


def test_an_address_of_nobody_else_is_taken_over(homeserver, server, liar):
    """Whether the person is asked or not, as Synapse does."""
    for provider, name in (("oidc-mails", "theo"), ("oidc-mails-picks", "thea")):
        address = f"{name}@example.com"
        person, client, verifier = come(server, liar, provider, name, email=address)
        if "new-account?" in person.page.url:
            person.submit(username=name, use_email_1="1", decision="create")
        agree(server, person, client, verifier)

        found = homeserver.query("SELECT user_id FROM user_threepids WHERE address = ?", address)
        assert found == [(f"@{name}:localhost",)]


NO_ADDRESSES = ["nowhere", "a@b@c", "x\n@example.com", "x y@example.com", "@", "y" * 600 + "@z.org"]


@pytest.mark.parametrize("which", range(len(NO_ADDRESSES)))
def test_what_is_no_address_leaves_no_half_made_account(homeserver, server, liar, which):
    """Stock Synapse makes the account first, and then finds that it cannot have that address."""
    subject = f"tom{which}"
    for _ in range(2):
        person, client, verifier = come(
            server, liar, "oidc-mails", subject, email=NO_ADDRESSES[which]
        )

        assert whoami(server, agree(server, person, client, verifier)) == f"@{subject}:localhost"
    sql = "SELECT address FROM user_threepids WHERE user_id = ?"
    assert homeserver.query(sql, f"@{subject}:localhost") == []


OTHERS = "https://somebody.else.example/"


@pytest.mark.parametrize(
    ("provider", "said", "is_good"),
    [
        ("oidc-silent", ["own"], True),
        ("oidc-silent", [OTHERS], False),
        ("oidc-silent", ["the other's"], False),
        ("oidc-silent", ["own", "the other's"], False),
        # What an operator calls the issuer of OAuth 2.0 alone is compared with nothing else.
        ("oidc-plain", [OTHERS], True),
        ("oidc-plain", ["the other's"], False),
        ("oidc-announces", ["the other's"], True),
        ("oidc-announces", [], False),
        ("oidc-announces", ["own"], False),
        ("oidc-announces", ["the other's", "the other's"], False),
        ("oidc-announces", [""], False),
    ],
)
def test_c262_an_answer_of_another_provider_is_taken_nowhere(
    server, liar, other_liar, provider, said, is_good
):
    """It names who it is from (RFC 9207); its code goes to no token endpoint of somebody else."""
    asked = other_liar if provider == "oidc-announces" else liar
    asked.says(f"uwe-{provider}")
    issuers = {"own": liar.issuer, "the other's": other_liar.issuer}
    asked.adds = [("iss", issuers.get(each, each)) for each in said]
    person = Person(asked.subject)
    client, verifier = begin(server, person)
    person.get(choose(person, provider))

    assert bool(asked.redeemed) is is_good
    if is_good:
        assert (
            whoami(server, agree(server, person, client, verifier)) == f"@{person.name}:localhost"
        )
    else:
        assert person.page.status_code == 400
        assert "You are not signed in" in person.page.text
        assert begin_again(person).status_code == 200


def test_c262_a_way_to_one_provider_leads_to_no_other(server, liar):
    """The address that names the attempt is for the provider whose button was pressed."""
    liar.says("ulla")
    person = Person("ulla")
    begin(server, person)
    way = choose(person, "oidc-silent")
    person.get(way.replace("redirect/oidc-silent", "redirect/oidc-trusted"))

    assert person.page.status_code == 400
    assert "You are not signed in" in person.page.text
    assert not liar.asked


@pytest.mark.parametrize("transaction", ["register_user", "nextgen_settle"])
def test_c247_a_process_that_dies_while_an_account_is_made_keeps_nobody_out(
    homeserver, server, liar, transaction
):
    """The person presses once more, and is signed in to the one account, under the name they chose."""
    name = f"vera-{transaction.replace('_', '-')}"
    person, client, verifier = come(server, liar, "oidc-picks", name, name="Vera")
    asked = person.page
    point = Point(AFTER_COMMIT, transaction)
    Sabotage(homeserver.base_url).plan(Plan("", "kill", point))
    with pytest.raises(requests.ConnectionError):
        person.submit(username=name, decision="create")
    assert eventually(lambda: not homeserver.main.is_running)
    homeserver.main.start()

    began = time.monotonic()
    person.page = asked
    person.submit(username=name, decision="create")
    if "consent?grant=" not in person.page.url:
        # It was signed in, and did not hear of it: from there it goes on to what was asked.
        assert person.page.status_code == 409
        (onward,) = [link for link in links(person.page) if "grant=" in link]
        person.get(urljoin(person.page.url, onward))
        person.get(choose(person, "oidc-picks"))

    expected = f"@{name}:localhost"
    assert whoami(server, agree(server, person, client, verifier)) == expected
    assert time.monotonic() - began < 20
    assert homeserver.query(
        "SELECT user_id FROM user_external_ids WHERE external_id = ?", name
    ) == [(expected,)]
    named = "SELECT name FROM users WHERE name LIKE ?"
    assert homeserver.query(named, f"@{name}%") == [(expected,)]


def signed_in_at(homeserver, server, liar, subject):
    """Sign somebody in whose provider has a name for that; return the person and the tokens."""
    person, client, verifier = come(server, liar, "oidc-silent", subject, sid=f"S-{subject}")
    return person, agree(server, person, client, verifier)


def log_out(homeserver, liar, **claims):
    """Let the provider say that it is over; return Synapse's answer."""
    return requests.post(
        f"{homeserver.base_url}/_synapse/client/oidc/backchannel_logout",
        data={"logout_token": liar.logout_token(**claims)},
        timeout=30,
    )


def test_a_logout_at_the_provider_may_delete_devices(homeserver, server, liar):
    """`providers.backchannel_logout: delete`: session, device and browser, and nobody else's."""
    person, tokens = signed_in_at(homeserver, server, liar, "willa")
    _, others = signed_in_at(homeserver, server, liar, "wilma")

    assert log_out(homeserver, liar, sub="willa", sid="S-willa").status_code == 200

    answer = server.whoami(tokens["access_token"])
    assert answer.status_code == 401
    assert answer.json().get("soft_logout", False) is False
    assert not homeserver.query("SELECT 1 FROM devices WHERE user_id = ?", "@willa:localhost")
    assert "sign-in" in person.get(server.url("account")).url
    assert server.whoami(others["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"sub": "wanja", "sid": "S-other"}, 200),
        # As another person's: Synapse compares who it was, where it knows them.
        ({"sub": "wenke", "sid": "S-wanja"}, 200),
        ({"sub": "wanja", "sid": "S-wanja", "aud": "another"}, 400),
        ({"sub": "wanja", "sid": "S-wanja", "iss": "https://somebody.else.example/"}, 400),
        ({"sub": "wanja", "sid": "S-wanja", "events": {}}, 400),
        ({"sub": "wanja"}, 400),
    ],
    ids=str,
)
def test_a_logout_of_somebody_else_ends_nothing(homeserver, server, liar, claims, status):
    """Whoever it names, and whoever says so."""
    signed_in_at(homeserver, server, liar, "wenke")
    _, tokens = signed_in_at(homeserver, server, liar, "wanja")

    answer = log_out(homeserver, liar, **claims)

    assert server.whoami(tokens["access_token"]).status_code == 200, answer.text
    assert answer.status_code == status


@pytest.mark.parametrize("change", [{"locked": True}, {"deactivated": True}], ids=str)
def test_c271_who_may_not_sign_in_may_not_by_a_provider(homeserver, server, liar, change):
    """A page says why, after the provider said who it is; nobody is signed in."""
    name = f"xaver-{next(iter(change))}"
    person, client, verifier = come(server, liar, "oidc-silent", name)
    agree(server, person, client, verifier)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    requests.put(
        f"{homeserver.base_url}/_synapse/admin/v2/users/@{name}:localhost",
        json=change,
        headers={"Authorization": f"Bearer {admin}"},
        timeout=30,
    ).raise_for_status()

    person, _, _ = come(server, liar, "oidc-silent", name)

    assert person.page.status_code == 403
    assert next(iter(change)) in person.page.text
    assert "Use another account" in person.page.text
    (other,) = [link for link in links(person.page) if "sign-in?" in link or "accounts?" in link]
    assert "/sign-in" in person.get(server.url("account")).url
    person.get(urljoin(server.issuer, other))
    person.get(choose(person, "oidc-silent"))
    assert liar.asked[-1]["prompt"] == "login", "else it lets in the same person again"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
    ],
    ids=str,
)
def test_c207_a_provider_sends_people_back_where_the_configuration_says(
    homeserver, server, liar, headers
):
    """Whatever a request says of the host: the way there and back is of `public_baseurl`."""
    liar.says("yves")
    person = Person("yves")
    begin(server, person)
    way = choose(person, "oidc-silent")

    answer = person.http.get(way, headers=headers, allow_redirects=False, timeout=30)

    location = answer.headers["Location"]
    assert "evil.example" not in location
    if "Host" in headers:  # cookies would be for that host: on to the one that they are for
        assert location.startswith(f"{homeserver.base_url}/_matrix/client/")
    else:
        person.get(location)
        (asked,) = liar.asked
        assert asked["redirect_uri"].startswith(f"{homeserver.base_url}/_synapse/client/oidc/")


@pytest.mark.parametrize("provider", ["oidc-silent", "oidc-picks"])
def test_what_a_provider_calls_its_sign_in_is_kept_for_somebody_new(
    homeserver, server, liar, provider
):
    """So that it may end it, also where the person chose a name in between."""
    name = f"yara-{provider[5:]}"
    person, client, verifier = come(server, liar, provider, name, sid=f"S-{name}")
    if provider == "oidc-picks":
        person.submit(username=name, decision="create")

    assert whoami(server, agree(server, person, client, verifier)) == f"@{name}:localhost"
    sql = "SELECT user_id FROM nextgen_provider_sessions WHERE provider_session = ?"
    assert homeserver.query(sql, f"S-{name}") == [(f"@{name}:localhost",)]

"""A sign-in through a provider is served by another process at every step but SAML's two ends.

And several at once are, of one person and of several.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests

from support.oauth import Server
from support.providers.hopping import Hopping, ports_of
from support.providers.journey import agree, begin, choose, whoami
from support.sabotage import AFTER_COMMIT, Plan, Point, Sabotage
from support.scale import times
from support.waiting import eventually


@pytest.fixture
def homeserver(provided):
    return provided


@pytest.mark.parametrize("provider", ["oidc-works", "oidc-picks", "saml", "cas"])
def test_c355_a_sign_in_hops_between_processes(homeserver, provider):
    """What a provider's answer is for and from whom lies in the database, and in cookies."""
    server = Server(homeserver.base_url)
    person = Hopping(f"hop-{provider}", homeserver, pinned=provider == "saml")
    client, verifier = begin(server, person)
    person.get(choose(person, provider))
    person.pass_provider()
    if provider == "oidc-picks":
        person.submit(username=person.name, decision="create")
    tokens = agree(server, person, client, verifier)

    assert whoami(server, tokens) == f"@{person.name}:localhost"
    assert len({port for _, port in person.at}) == 3


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


def come(server, person, provider):
    """Come to a provider and back; return the client and the verifier."""
    client, verifier = begin(server, person)
    person.get(choose(person, provider))
    return client, verifier


def at_once(*acts):
    """Do all of it at once."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()


def accounts_of(homeserver, subject):
    """Return the accounts whose names begin like this, and those that are whose they are."""
    users = homeserver.query("SELECT name FROM users WHERE name LIKE ?", f"@{subject}%")
    whose = "SELECT user_id FROM user_external_ids WHERE external_id = ?"
    return users, homeserver.query(whose, subject)


ROUNDS = range(times(4, 30))


@pytest.mark.parametrize("names", ["one name", "other names"])
def test_c246_one_form_pressed_twice_on_two_processes_makes_one_account(
    homeserver, server, liar, names
):
    """Neither press reads that its own name is taken; that the other one made it is no news here yet."""
    ports = ports_of(homeserver)
    for place in ROUNDS:
        subject = f"pressed-{names[:3].strip()}-{place}"
        liar.says(subject, name="Pia")
        there = [Hopping(subject, homeserver, ports=[port]) for port in ports[place % 2 :][:2]]
        client, verifier = come(server, there[0], "oidc-lying-picks")
        there[1].page, there[1].http.cookies = there[0].page, there[0].http.cookies.copy()
        other = "-2" if names == "other names" else ""
        at_once(
            partial(there[0].submit, username=subject, decision="create"),
            partial(there[1].submit, username=subject + other, decision="create"),
        )

        for person in there:
            assert person.page.status_code in {200, 409}, person.page.text
        users, whose = accounts_of(homeserver, subject)
        assert len(users) == 1
        assert users == whose
        (person,) = [each for each in there if "consent?grant=" in each.page.url][:1]
        assert whoami(server, agree(server, person, client, verifier)) == users[0][0]


@pytest.mark.parametrize("names", ["one name", "other names"])
def test_c246_one_person_in_several_browsers_and_processes_has_one_account(
    homeserver, server, liar, names
):
    """Each is signed in to it, whichever press made it."""
    for place in ROUNDS:
        subject = f"browsers-{names[:3].strip()}-{place}"
        liar.says(subject, name="Pia")
        people = [Hopping(subject, homeserver, ports=[port]) for port in ports_of(homeserver)]
        ways = [come(server, person, "oidc-lying-picks") for person in people]
        chosen = [
            f"{subject}-{n}" if names == "other names" else subject for n in range(len(people))
        ]
        at_once(
            *(
                partial(person.submit, username=name, decision="create")
                for person, name in zip(people, chosen, strict=True)
            )
        )

        ids = {
            whoami(server, agree(server, person, *way))
            for person, way in zip(people, ways, strict=True)
        }
        users, whose = accounts_of(homeserver, subject)
        assert users == whose == [(user_id,) for user_id in ids]


@pytest.mark.parametrize("provider", ["oidc-lying-silent", "oidc-lying-names"])
def test_c246_a_person_who_comes_twice_at_once_by_a_name_that_is_given_has_one_account(
    homeserver, server, liar, provider
):
    """The name is taken by themselves: no second one is made, and nobody is told that there is none."""
    for place in ROUNDS:
        subject = f"given-{provider[-5:]}-{place}"
        liar.says(subject, nick=subject)
        people = [Hopping(subject, homeserver, ports=[port]) for port in ports_of(homeserver)]
        begun = [begin(server, person) for person in people]
        buttons = [choose(person, provider) for person in people]
        at_once(*(partial(each.get, way) for each, way in zip(people, buttons, strict=True)))

        ids = {
            whoami(server, agree(server, person, *way))
            for person, way in zip(people, begun, strict=True)
        }
        users, whose = accounts_of(homeserver, subject)
        assert users == whose == [(user_id,) for user_id in ids]


ODD = {"nul": "a\x00b", "surrogate": "a\ud800b"}


def display_name(homeserver, user_id):
    sql = "SELECT displayname FROM profiles WHERE full_user_id = ?"
    return homeserver.query(sql, user_id)[0][0]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("provider", ["oidc-lying-silent", "oidc-lying-picks"])
def test_c213_c214_a_name_with_what_no_database_keeps_is_taken_without_that(
    homeserver, server, liar, provider, odd
):
    """Nobody is kept out of a new account by what stands in the provider's directory."""
    subject = f"odd-name-{odd}-{provider[-5:]}"
    liar.says(subject, name=ODD[odd])
    person = Hopping(subject, homeserver)
    client, verifier = come(server, person, provider)
    if provider.endswith("picks"):
        person.submit(username=subject, decision="create")

    user_id = whoami(server, agree(server, person, client, verifier))
    assert user_id == f"@{subject}:localhost"
    assert display_name(homeserver, user_id) == "ab"


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("provider", ["oidc-lying-mails", "oidc-lying-mails-picks"])
def test_c213_c214_an_address_that_no_database_keeps_is_none(
    homeserver, server, liar, provider, odd
):
    subject = f"odd-mail-{odd}-{provider[-5:]}"
    liar.says(subject, email=f"{ODD[odd]}@example.com")
    person = Hopping(subject, homeserver)
    client, verifier = come(server, person, provider)
    if provider.endswith("picks"):
        person.submit(username=subject, decision="create")

    user_id = whoami(server, agree(server, person, client, verifier))
    assert user_id == f"@{subject}:localhost"
    sql = "SELECT address FROM user_threepids WHERE user_id = ?"
    assert homeserver.query(sql, user_id) == []


@pytest.mark.parametrize("provider", ["oidc-lying-names", "oidc-lying-confirms"])
def test_c214_half_a_character_where_an_account_is_named_ends_on_our_page(
    homeserver, server, liar, provider
):
    liar.says("half-a-nick", nick=ODD["surrogate"])
    person = Hopping("half-a-nick", homeserver)
    come(server, person, provider)

    assert person.page.status_code in {400, 403}
    assert "You are not signed in" in person.page.text


@pytest.mark.parametrize(
    ("said", "kept"),
    [(ODD["nul"], "ab"), (ODD["surrogate"], "ab"), ("\x00", "Fine"), ("x" * 300, "Fine")],
    ids=["nul", "surrogate", "nothing else", "too long"],
)
def test_a_profile_that_cannot_be_brought_up_to_date_keeps_nobody_out(
    homeserver, server, liar, request, said, kept
):
    """`sso.update_profile_information`: the person signs in, again and again."""
    subject = "update-" + request.node.callspec.id.replace(" ", "-")
    for name in ("Fine", said, said):
        liar.says(subject, name=name)
        person = Hopping(subject, homeserver)
        client, verifier = come(server, person, "oidc-lying-silent")
        user_id = whoami(server, agree(server, person, client, verifier))

        assert user_id == f"@{subject}:localhost"
    assert display_name(homeserver, user_id) == kept


def has(homeserver, address):
    return homeserver.query("SELECT user_id FROM user_threepids WHERE address = ?", address)


def refusals(homeserver):
    """Return how often an address stayed where it was."""
    return len(
        re.findall(r"An address that a provider names .* stays there", homeserver.log_text())
    )


def test_c267_two_new_people_with_one_address_take_it_from_nobody(homeserver, server, liar):
    """At once on two processes: whoever has it keeps it, the other account is made without it."""
    ports = ports_of(homeserver)
    for place in ROUNDS:
        address, people = f"both-{place}@example.com", []
        for n in range(2):
            subject = f"both-{place}-{n}"
            liar.says(subject, email=address)
            person = Hopping(subject, homeserver, ports=[ports[n]])
            come(server, person, "oidc-lying-mails-picks")
            assert address in person.page.text
            people.append(person)
        before = refusals(homeserver)
        at_once(
            *(
                partial(person.submit, username=person.name, use_email_1="1", decision="create")
                for person in people
            )
        )

        assert all("consent?grant=" in person.page.url for person in people)
        ((has_it,),) = has(homeserver, address)
        assert has_it in {f"@{person.name}:localhost" for person in people}
        assert eventually(lambda before=before: refusals(homeserver) == before + 1)


def test_c267_an_address_stays_with_who_gets_it_while_another_account_is_made(
    homeserver, server, liar
):
    """Whether it is free is decided where it is bound, and not a moment before."""
    address, tina = "meanwhile@example.com", homeserver.new_user().user_id
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    liar.says("meanwhile", email=address)
    person = Hopping("meanwhile", homeserver, ports=[homeserver.main.port])
    client, verifier = begin(server, person)
    way = choose(person, "oidc-lying-mails")
    sabotage = Sabotage(homeserver.base_url)
    sabotage.plan(Plan("", "slow", Point(AFTER_COMMIT, "register_user")))
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(person.get, way)
        assert eventually(sabotage.fired)
        requests.put(
            f"{homeserver.base_url}/_synapse/admin/v2/users/{tina}",
            json={"threepids": [{"medium": "email", "address": address}]},
            headers={"Authorization": f"Bearer {admin}"},
            timeout=30,
        ).raise_for_status()
        before = has(homeserver, address)
        going.result()
    sabotage.plan(None)

    assert before == [(tina,)]
    assert has(homeserver, address) == before
    assert whoami(server, agree(server, person, client, verifier)) == "@meanwhile:localhost"

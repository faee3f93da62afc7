"""Invitations: made by a command, used on our pages, and by older clients where they pin nothing."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from support import smtp
from support.commands import Operator
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.secret import Keyring

pytestmark = [pytest.mark.newest_only]

PASSWORD = "correct horse battery staple of another stable"
VALIDITY = "/_matrix/client/v1/register/m.login.registration_token/validity"
names = (f"guest{n}" for n in range(1000))


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database, session_mailbox):
    """Yield a homeserver where nobody has an account without a registration token."""
    directory = tmp_path_factory.mktemp("homeserver-inviting")
    config = {
        "email": session_mailbox.settings(),
        "enable_registration": True,
        "registration_requires_token": True,
        "auto_join_mxid_localpart": "host",
    }
    module = {"secret": smtp.SECRET, "invitations": {"members": True}}
    database = make_database("sqlite", directory)
    with Homeserver(directory, database, config=config, module=module) as homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def operator(homeserver):
    return Operator(homeserver.base_url, Keyring.of(smtp.SECRET.encode()))


@pytest.fixture
def name():
    return next(names)


def invite(operator, **given):
    return operator.ask("invitations create", **given)


def sign_up(server, url, name, *, browser=None, **fields):
    browser = browser or Browser(server)
    browser.get(url)
    page = browser.submit(
        **{"username": name, "password": PASSWORD, "decision": "create"}
        | {"token": parse_qs(urlsplit(url).query)["token"][0]}
        | fields
    )
    # Who wants to gives an address, where nobody has to.
    return browser.submit(decision="skip") if "register-email" in page.url else page


def exists(homeserver, name):
    return bool(homeserver.query("SELECT 1 FROM users WHERE name = ?", f"@{name}:localhost"))


def told(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.text))


def counts(homeserver, token):
    return homeserver.query(
        "SELECT uses_allowed, pending, completed FROM registration_tokens WHERE token = ?", token
    )[0]


def stock(server, path, **body):
    return requests.post(server.base_url + path, json=body, timeout=30)


def register_by_stock(server, name, token):
    """Sign up as older clients do; return the last answer."""
    path = "/_matrix/client/v3/register"
    asked = {"username": name, "password": PASSWORD}
    session = stock(server, path, **asked).json()["session"]
    auth = {"type": "m.login.registration_token", "token": token, "session": session}
    answer = stock(server, path, **asked, auth=auth)
    if "m.login.registration_token" not in answer.json().get("completed", ()):
        return answer
    return stock(server, path, **asked, auth={"type": "m.login.dummy", "session": session})


def test_an_invitation_fills_in_its_token_and_says_what_it_says(homeserver, server, operator, name):
    """Used as often as it may be, it lets nobody else in."""
    made = invite(operator, text="Come <b>in</b>!", uses=1, why="the new team")

    page = Browser(server).get(made["url"])
    sign_up(server, made["url"], name)
    late = sign_up(server, made["url"], next(names))
    looked_at = Browser(server).get(made["url"])

    assert "You are invited" in page.text
    assert "Come &lt;b&gt;in&lt;/b&gt;!" in page.text
    assert f'value="{made["token"]}"' in page.text
    assert exists(homeserver, name)
    assert counts(homeserver, made["token"]) == (1, 0, 1)
    assert "cannot be used: it is mistyped, used up or too old" in told(late)
    # Nobody is welcomed first, and refused after a whole page.
    assert "cannot be used: it is mistyped, used up or too old" in told(looked_at)
    assert "You are invited" not in looked_at.text
    assert ("command: the new team",) in homeserver.query(
        "SELECT detail FROM nextgen_events WHERE kind = 'invitation_made'"
    )


def test_one_that_somebody_is_on_the_way_with_says_so_and_when_to_try_again(
    homeserver, server, operator, name
):
    """To whoever else has the link, not to them; it is free again once they gave up."""
    made, first, other = invite(operator, uses=1), Browser(server), Browser(server)
    given = {"password": PASSWORD, "display_name": "", "decision": "create"}
    first.get(made["url"])
    begun = first.submit(username=name, token=made["token"], **given)
    attempt = begun.url.partition("attempt=")[2]

    looked_at = other.get(made["url"])
    pressed = other.submit(username=next(names), token=made["token"], **given)
    again = Browser(server)
    again.http.cookies.update(first.http.cookies)
    (listed,) = [
        each
        for each in operator.ask("invitations list")["invitations"]
        if each["token"] == made["token"]
    ]

    for page in (looked_at, pressed):
        assert page.status_code == 400
        assert "Somebody is creating an account with this registration token" in told(page)
        assert re.search(r"Try again in (\d+ minutes|1 hour)\.", told(page))
        assert "mistyped" not in told(page)
    assert "Somebody is creating" not in told(again.get(made["url"]))
    assert listed["state"] == "held"

    first.get(server.url(f"register?attempt={attempt}"))
    first.get(made["url"])
    first.submit(username=name, token=made["token"], **given)
    first.submit(decision="skip")
    assert exists(homeserver, name)


def test_older_clients_use_one_that_pins_nothing(homeserver, server, operator, name):
    made = invite(operator, uses=2)

    assert requests.get(
        f"{server.base_url}{VALIDITY}", params={"token": made["token"]}, timeout=30
    ).json() == {"valid": True}
    assert register_by_stock(server, name, made["token"]).status_code == 200
    assert counts(homeserver, made["token"]) == (2, 0, 1)


@pytest.mark.parametrize("pin", ["username", "email"])
def test_one_that_pins_something_is_refused_by_stocks_register(
    homeserver, server, operator, name, pin, mailbox
):
    """Nothing there looks at what it pins; to older clients it is no token at all."""
    pinned = {"username": name} if pin == "username" else {"email": f"{name}@example.com"}
    made = invite(operator, **pinned, send=True if pin == "email" else None) | {"by": pin}
    token = made["token"]

    asked = requests.get(f"{server.base_url}{VALIDITY}", params={"token": token}, timeout=30)
    answer = register_by_stock(server, name, token)

    assert asked.json() == {"valid": False}
    assert answer.status_code == 401
    assert not exists(homeserver, name)
    assert counts(homeserver, token) == (1, 0, 0)


def test_a_pinned_name_is_the_one_that_somebody_gets(homeserver, server, operator, name):
    """It stands in the field; another one is refused, also by a form that was changed."""
    other, made = next(names), invite(operator, username=name)

    page = Browser(server).get(made["url"])
    wrong = sign_up(server, made["url"], other)
    sign_up(server, made["url"], name)

    assert f'value="{name}"' in page.text
    assert "Your invitation is for another username" in told(wrong)
    assert not exists(homeserver, other)
    assert exists(homeserver, name)


def test_a_pinned_name_holds_on_the_first_page_seen_again_too(homeserver, server, operator, name):
    """There the field of the token is empty: what the sign-up has counts."""
    url = invite(operator, username=name)["url"]
    browser, another = Browser(server), next(names)
    browser.get(url)
    token = parse_qs(urlsplit(url).query)["token"][0]
    given = {"display_name": "", "decision": "create"}
    page = browser.submit(username=name, password=PASSWORD, token=token, **given)
    attempt = page.url.partition("attempt=")[2]

    page = browser.get(server.url(f"register?attempt={attempt}"))
    assert f"This invitation is for the username {name}." in told(page)
    page = browser.submit(username=another, **given)
    assert page.status_code == 400
    assert "Your invitation is for another username." in told(page)
    browser.submit(username=name, **given)
    browser.submit(decision="skip")
    assert exists(homeserver, name)


def test_a_pinned_address_is_asked_for_where_another_one_was_proven(
    homeserver, server, operator, name, mailbox
):
    """The invitation came while the code of the other one was under way, in another tab."""
    other, pinned = f"{name}@example.com", f"{name}@example.org"
    plain = parse_qs(urlsplit(invite(operator)["url"]).query)["token"][0]
    token = parse_qs(urlsplit(invite(operator, email=pinned)["url"]).query)["token"][0]
    browser, given = Browser(server), {"display_name": "", "decision": "create"}
    browser.get(server.url("register"))
    page = browser.submit(username=name, password=PASSWORD, token=plain, **given)
    attempt = page.url.partition("attempt=")[2]
    code_page = browser.submit(email=other, decision="send")
    browser.get(server.url(f"register?attempt={attempt}"))
    browser.submit(username=name, token=token, **given)
    browser.page = code_page
    page = browser.submit(code=mailbox.last_to(other).code, decision="check")

    assert "Your invitation is for another address." in told(page)
    browser.submit(username=name, **given)
    browser.submit(email=pinned, decision="send")
    browser.submit(code=mailbox.last_to(pinned).code, decision="check")
    assert exists(homeserver, name)
    assert homeserver.query(
        "SELECT address FROM user_threepids WHERE user_id = ?", f"@{name}:localhost"
    ) == [(pinned,)]
    assert counts(homeserver, token)[1:] == (0, 1)


def test_a_pinned_name_that_somebody_took_says_what_helps(homeserver, server, operator, name):
    """No other name would do."""
    made = invite(operator, username=name)
    sign_up(server, invite(operator)["url"], name)
    page = sign_up(server, made["url"], name)

    assert "That username is taken" in told(page)
    assert "ask for another invitation" in told(page)
    assert "Still free" not in told(page)


def test_a_pinned_address_whose_mail_brought_the_person_needs_no_code(
    homeserver, server, operator, name, mailbox
):
    """A second secret in the mail proves the mailbox, and leaves the address bar at once (C258)."""
    address = f"{name}@example.com"
    made = invite(operator, email=address.upper(), send=True, text="Welcome!")
    mail = mailbox.last_to(address)
    browser = Browser(server)

    first = browser.http.get(mail.link, allow_redirects=False, timeout=30)
    shown = browser.get(made["url"])
    sign_up(server, made["url"], name, browser=browser)

    secret = parse_qs(urlsplit(mail.link).query)["mail"][0]
    # Whoever was given the mail of somebody else sees whose mailbox opens the account.
    assert f"Your account gets the address {address}" in told(shown)
    assert address not in Browser(server).get(made["url"]).text
    assert "Welcome!" in mail.text
    assert first.status_code == 303
    assert secret not in first.headers["Location"]
    assert secret not in json.dumps(made)
    assert homeserver.query(
        "SELECT address FROM user_threepids WHERE user_id = ?", f"@{name}:localhost"
    ) == [(address,)]


def test_a_pinned_address_without_its_mail_lets_nobody_in(
    homeserver, server, operator, name, mailbox
):
    """Whoever has the token alone, or the secret of another mail, has shown nothing."""
    made = invite(operator, email=f"{name}@example.com", send=True)
    other = invite(operator, email=f"{next(names)}@example.com", send=True)["mailed_to"]
    stranger = Browser(server)
    stranger.get(mailbox.last_to(other).link)

    for browser in (Browser(server), stranger):
        sign_up(server, made["url"], name, browser=browser)

        assert not exists(homeserver, name)


def test_somebody_who_has_an_account_is_told_by_mail_to_sign_in(homeserver, operator, mailbox):
    user = homeserver.new_user()
    address = f"{user.localpart}@example.com"
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 0, 0)",
        *(user.user_id, address),
    )

    answer = invite(operator, email=address, send=True)

    mail = mailbox.last_to(address)
    assert answer == {"has_account": True, "mailed_to": address}
    refused = operator.say("invitations create", email=address)
    assert refused["refused"] == "There is an account with this address already"
    assert mail.subject == "You already have an account on localhost"
    assert urlsplit(mail.link).path.endswith("/sign-in")


def test_rooms_are_joined_and_what_says_no_stops_nobody(homeserver, server, operator, name):
    """A public one, and one that nobody may join any more."""
    owner = homeserver.login(homeserver.new_user())["access_token"]
    alias = f"room-{name}"
    room = server.api(
        "POST",
        "/_matrix/client/v3/createRoom",
        owner,
        json={"preset": "public_chat", "room_alias_name": alias},
    ).json()["room_id"]
    gone = server.api(
        "POST", "/_matrix/client/v3/createRoom", owner, json={"preset": "public_chat"}
    ).json()["room_id"]
    made = invite(operator, rooms=[f"#{alias}:localhost", gone])
    server.api(
        "PUT",
        f"/_matrix/client/v3/rooms/{gone}/state/m.room.join_rules",
        owner,
        json={"join_rule": "private"},
    )

    sign_up(server, made["url"], name)

    assert exists(homeserver, name)
    assert eventually(
        lambda: (
            homeserver.query(
                "SELECT room_id FROM local_current_membership WHERE user_id = ? AND membership = 'join'",
                f"@{name}:localhost",
            )
            == [(room,)]
        )
    )
    assert eventually(
        lambda: homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'join_room'") == []
    )


@pytest.fixture(scope="module")
def host(homeserver):
    """Return the account that invites where Synapse does (`auto_join_mxid_localpart`)."""
    return homeserver.register_user("host", PASSWORD)


def private_room(homeserver, server, owner):
    token = homeserver.login(owner)["access_token"]
    asked = {"preset": "private_chat"}
    return server.api("POST", "/_matrix/client/v3/createRoom", token, json=asked).json()["room_id"]


def open_room(homeserver, server, owner):
    token = homeserver.login(owner)["access_token"]
    asked = {"preset": "public_chat"}
    return server.api("POST", "/_matrix/client/v3/createRoom", token, json=asked).json()["room_id"]


def membership(homeserver, name, room):
    return homeserver.query(
        "SELECT membership FROM local_current_membership WHERE user_id = ? AND room_id = ?",
        *(f"@{name}:localhost", room),
    )


@pytest.mark.parametrize("by", ["member", "host"])
def test_a_private_room_is_joined_by_an_invite(homeserver, server, operator, name, host, by):
    """Of the member who invites; or of the account that does it for Synapse, where nobody else did."""
    inviter = homeserver.new_user() if by == "member" else host
    room = private_room(homeserver, server, inviter)
    made = invite(operator, rooms=[room])
    if by == "member":
        homeserver.query(
            "UPDATE nextgen_invitations SET invited_by = ? WHERE token = ?",
            *(inviter.user_id, made["token"]),
        )

    sign_up(server, made["url"], name)

    assert eventually(lambda: membership(homeserver, name, room) == [("join",)])
    assert homeserver.query(
        "SELECT sender FROM events WHERE room_id = ? AND state_key = ? AND type = 'm.room.member'"
        " ORDER BY stream_ordering",
        *(room, f"@{name}:localhost"),
    ) == [(inviter.user_id,), (f"@{name}:localhost",)]


@pytest.mark.parametrize("by", ["member", "host", "deactivated"])
def test_a_private_room_that_nobody_may_invite_to_keeps_nobody_from_their_account(
    homeserver, server, operator, name, host, by
):
    """The rooms beside it are joined all the same, and nothing is tried for ever."""
    inviter = host if by == "host" else homeserver.new_user()
    shut = private_room(homeserver, server, homeserver.new_user())
    if by == "deactivated":
        shut = private_room(homeserver, server, inviter)
    opened = private_room(homeserver, server, host)
    made = invite(operator, rooms=[shut, opened])
    if by == "deactivated":
        # Before it is theirs: as for whoever was on the way already when the account was closed.
        deactivate(homeserver, server, inviter)
    if by != "host":
        homeserver.query(
            "UPDATE nextgen_invitations SET invited_by = ? WHERE token = ?",
            *(inviter.user_id, made["token"]),
        )

    page = sign_up(server, made["url"], name)

    assert page.status_code == 200
    assert exists(homeserver, name)
    assert eventually(
        lambda: homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'join_room'") == []
    )
    assert membership(homeserver, name, shut) == []
    assert f"@{name}:localhost did not join {shut}" in homeserver.log_text()
    # A member invites only where they are: not to a room of somebody else.
    assert membership(homeserver, name, opened) == ([("join",)] if by == "host" else [])


def deactivate(homeserver, server, user):
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/deactivate/{user.user_id}"
    assert server.api("POST", path, admin, json={}).status_code == 200


def test_an_account_that_was_closed_meanwhile_joins_no_room(homeserver, server, operator, mailbox):
    """The room's server was away, or the main process here; what is done is withdrawn from nobody."""
    room = open_room(homeserver, server, homeserver.new_user())
    closed, other = homeserver.new_user(), homeserver.new_user()
    deactivate(homeserver, server, closed)
    for who in (closed, other):
        work = {"invited_by": "", "room": room, "user_id": who.user_id}
        homeserver.query(
            "INSERT INTO nextgen_outbox (entry_id, kind, subject, position, payload, written_at,"
            " due_at, tries) VALUES (?, 'join_room', ?, 1, ?, ?, ?, 0)",
            *(who.localpart, who.user_id, json.dumps(work, sort_keys=True)),
            *(int(time.time()), int(time.time())),
        )
    # A mail that is written down makes it look.
    invite(operator, email=f"{other.localpart}@example.com", send=True)

    assert eventually(
        lambda: homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'join_room'") == []
    )
    assert membership(homeserver, other.localpart, room) == [("join",)]
    assert membership(homeserver, closed.localpart, room) == []


def test_an_invitation_that_was_ended_lets_nobody_in(homeserver, server, operator, name):
    made = invite(operator)

    operator.ask("invitations end", token=made["token"])
    sign_up(server, made["url"], name)
    again = operator.say("invitations end", token=made["token"])

    assert not exists(homeserver, name)
    assert "no such invitation" in again["refused"]
    (listed,) = [
        each
        for each in operator.ask("invitations list")["invitations"]
        if each["token"] == made["token"]
    ]
    assert listed["state"] == "over"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"username": "Not a name!"}, "That cannot be a username"),
        ({"email": "nobody"}, "--email must be an e-mail address"),
        ({"send": True}, "--send wants --email"),
        ({"rooms": ["#nowhere:localhost"]}, "There is no room #nowhere:localhost"),
        ({"rooms": ["nonsense"]}, "There is no room nonsense"),
        ({"rooms": ["!a:b"] * 21}, "20 rooms at most"),
        ({"uses": 0}, "--uses must be a number from 1 to 1000000"),
        ({"uses": 2, "username": "pinned-one"}, "is good once"),
        ({"text": "x" * 501}, "--text is too long: at most 500 letters"),
        ({"username": "@someone:other.example.org"}, "a username of another server"),
        ({"rooms": ["!notthere:localhost"]}, "There is no room !notthere:localhost"),
        ({"seconds": 0}, "--for must be a second at least"),
        ({"seconds": 3_000_000 * 86400}, "ten years at most"),
        ({"text": "x" * 4001}, "--text is too long: at most 4000 letters"),
        ({"rooms": [""]}, "--room is missing"),
        ({"seconds": -1}, "--for must be a number up to"),
    ],
)
def test_what_cannot_be_made_is_said(operator, given, said):
    assert said in operator.say("invitations create", **given)["refused"]


def test_where_nobody_signs_up_with_a_token_none_is_made(sqlite_homeserver):
    refused = Operator.of(sqlite_homeserver).say("invitations create")["refused"]

    assert "registration_requires_token" in refused


def test_the_command_line_makes_lists_and_ends(homeserver, capsys):
    """With words for people, and JSON for scripts."""
    ask = ["-c", str(homeserver.config_path), "invitations"]

    assert main([*ask, "create", "--uses", "3", "--for", "7d", "--json"]) == 0
    token = json.loads(capsys.readouterr().out)["token"]
    assert main([*ask, "list"]) == 0
    assert re.search(rf"^{token}  open +0/3 ", capsys.readouterr().out, re.MULTILINE)
    assert main([*ask, "end", token, "--why", "a test"]) == 0
    assert "Nobody comes in" in capsys.readouterr().out


def test_c246_however_many_come_at_once_the_last_use_is_ones_alone(homeserver, server, operator):
    """By stock's `/register`, too, which looks first and counts then."""
    token, guests = invite(operator, uses=1)["token"], [next(names) for _ in range(12)]

    with ThreadPoolExecutor(len(guests)) as pool:
        answers = list(pool.map(lambda name: register_by_stock(server, name, token), guests))

    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 11]
    assert sum(exists(homeserver, name) for name in guests) == 1
    assert counts(homeserver, token) == (1, 0, 1)


def invitations_of(server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-invitations"))
    return browser


def suspend(homeserver, server, user):
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/suspend/{user.user_id}"
    assert server.api("PUT", path, admin, json={"suspend": True}).status_code == 200


def links_on(page):
    return re.findall(r'<bdi dir="ltr">([^<]+)</bdi>', page.text)


def test_a_member_invites_sees_the_link_and_withdraws_it(homeserver, server):
    """What they wrote is escaped; whoever comes with the link is welcome, and after that no more."""
    member, guest = homeserver.new_user(), next(names)
    browser = invitations_of(server, member)
    made = browser.submit(decision="invite", text=" Come <b>in</b>! ")
    (link,) = links_on(made)
    welcome = Browser(server).get(link)
    withdrawn = browser.submit(
        decision="withdraw", invitation=parse_qs(urlsplit(link).query)["token"][0]
    )
    late = sign_up(server, link, guest)

    assert "You can make 4 more" in told(withdrawn)
    assert "The place of one that you withdrew is free again:" in told(withdrawn)
    assert "You can make 4 more" in told(made)
    assert "is free again" not in told(made)
    assert "Come &lt;b&gt;in&lt;/b&gt;!" in made.text
    assert "You are invited" in welcome.text
    assert "The invitation is withdrawn" in told(withdrawn)
    assert links_on(withdrawn) == []
    assert "cannot be used" in told(late)
    assert not exists(homeserver, guest)
    assert homeserver.query(
        "SELECT kind, detail FROM nextgen_events WHERE user_id = ?"
        " AND kind LIKE 'invitation%' ORDER BY happened_at, kind DESC",
        member.user_id,
    ) == [("invitation_made", "member"), ("invitation_ended", "member")]


def test_making_and_withdrawing_has_an_end(homeserver, server):
    """A script would fill Synapse's table of tokens otherwise; the page says when there is room."""
    member = homeserver.new_user()
    browser = invitations_of(server, member)
    for _ in range(5):
        (link,) = links_on(browser.submit(decision="invite"))
        token = parse_qs(urlsplit(link).query)["token"][0]
        page = browser.submit(decision="withdraw", invitation=token)

    assert "Make an invitation" not in told(page)
    assert "You have made as many as you may for now" in told(page)
    assert "is free again:" in told(page)
    homeserver.query(
        "UPDATE nextgen_invitations SET made_at = made_at - 86400 WHERE invited_by = ?",
        member.user_id,
    )
    assert "You can make 5 more" in told(browser.get(server.url("account-invitations")))


def test_what_was_used_makes_room_and_leads_nowhere(homeserver, server):
    """The page says that it was used, but not by whom."""
    member, guest = homeserver.new_user(), next(names)
    browser = invitations_of(server, member)
    (link,) = links_on(browser.submit(decision="invite"))
    sign_up(server, link, guest)
    page = browser.get(server.url("account-invitations"))

    assert exists(homeserver, guest)
    assert links_on(page) == []
    assert "Used" in told(page)
    assert "You can make 5 more" in told(page)
    assert guest not in page.text


def test_c246_two_tabs_make_no_more_than_they_may(homeserver, server):
    """Whoever presses ten times at once has five, and is told so."""
    member = homeserver.new_user()
    browser = invitations_of(server, member)
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]
    url, cookies = server.url("account-invitations"), browser.http.cookies.get_dict()
    form = {"csrf": csrf, "decision": "invite", "text": "typed"}

    def press(_):
        return requests.post(url, data=form, cookies=cookies, allow_redirects=False, timeout=60)

    with ThreadPoolExecutor(10) as pool:
        answers = sorted(answer.status_code for answer in pool.map(press, range(10)))
    page = browser.get(url)

    assert answers == [303] * 5 + [409] * 5
    assert len(links_on(page)) == 5
    assert "You have made as many as you may for now" in told(page)


def test_suspended_members_withdraw_but_invite_nobody(homeserver, server):
    member = homeserver.new_user()
    browser = invitations_of(server, member)
    (link,) = links_on(browser.submit(decision="invite"))
    suspend(homeserver, server, member)
    stale = browser.submit(decision="invite")
    page = browser.get(server.url("account-invitations"))

    assert stale.status_code == 403
    assert "Your account is suspended" in told(page)
    assert links_on(page) == [link]
    assert "Make an invitation" not in told(page)
    token = parse_qs(urlsplit(link).query)["token"][0]
    assert links_on(browser.submit(decision="withdraw", invitation=token)) == []


def test_a_text_that_is_too_long_is_kept_and_invites_nobody(homeserver, server):
    member = homeserver.new_user()
    browser = invitations_of(server, member)
    page = browser.submit(decision="invite", text="a" * 501)

    assert page.status_code == 400
    assert "a" * 501 in page.text
    assert links_on(page) == []


def test_the_invitations_of_a_member_who_leaves_are_withdrawn(homeserver, server):
    """Nobody comes in on the word of an account that is closed."""
    member = homeserver.new_user()
    (link,) = links_on(invitations_of(server, member).submit(decision="invite"))
    deactivate(homeserver, server, member)

    late = sign_up(server, link, guest := next(names))

    assert "cannot be used" in told(late)
    assert not exists(homeserver, guest)


def test_the_page_is_found_where_members_may_invite(homeserver, server):
    page = Browser.of(server, homeserver.new_user()).get(server.url("account"))

    assert 'href="account-invitations"' in page.text


def test_one_that_somebody_came_with_is_used_whatever_its_member_presses(homeserver, server):
    """On a page that was opened before; and it stays so once its time is over."""
    member, guest = homeserver.new_user(), next(names)
    browser = invitations_of(server, member)
    (link,) = links_on(browser.submit(decision="invite"))
    token = parse_qs(urlsplit(link).query)["token"][0]
    sign_up(server, link, guest)
    late = browser.submit(decision="withdraw", invitation=token)
    homeserver.query(
        "UPDATE nextgen_invitations SET made_at = made_at - 100, expires_at = made_at - 50"
        " WHERE token = ?",
        token,
    )
    homeserver.query("UPDATE registration_tokens SET expiry_time = 1000 WHERE token = ?", token)
    after = browser.get(server.url("account-invitations"))

    assert exists(homeserver, guest)
    assert late.status_code == 404
    assert "is used, over or withdrawn already" in told(late)
    assert "Used" in told(after)
    assert (
        homeserver.query(
            "SELECT 1 FROM nextgen_events WHERE user_id = ? AND kind = 'invitation_ended'",
            member.user_id,
        )
        == []
    )


def test_what_a_member_writes_turns_no_direction_on_the_page_of_a_sign_up(homeserver, server):
    """Nor does it bring control characters; the words, and the marks that Arabic needs, stay."""
    browser = invitations_of(server, homeserver.new_user())
    text = "see \x1b[31m\u202e txt\u2066 \u0645\u0631\u062d\u0628\u0627\u200f\n!"
    (link,) = links_on(browser.submit(decision="invite", text=text))
    page = Browser(server).get(link).text

    assert "see [31m txt \u0645\u0631\u062d\u0628\u0627\u200f !" in page


@pytest.mark.parametrize("how", ["locked", "suspended"])
def test_the_invitation_of_a_member_who_is_locked_or_suspended_rests(homeserver, server, how):
    """Neither our pages nor older clients take it; once that is lifted it is good again."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    member, guest = homeserver.new_user(), next(names)
    (link,) = links_on(invitations_of(server, member).submit(decision="invite"))
    token = parse_qs(urlsplit(link).query)["token"][0]

    def keep_out(*, on):
        path, body = {
            "locked": (f"v2/users/{member.user_id}", {"locked": on}),
            "suspended": (f"v1/suspend/{member.user_id}", {"suspend": on}),
        }[how]
        assert server.api("PUT", f"/_synapse/admin/{path}", admin, json=body).status_code == 200

    def is_valid():
        asked = {"token": token}
        return requests.get(f"{server.base_url}{VALIDITY}", params=asked, timeout=30).json()[
            "valid"
        ]

    keep_out(on=True)
    page, late, by_stock = Browser(server).get(link), sign_up(server, link, guest), is_valid()
    keep_out(on=False)

    assert "You are invited" not in page.text
    assert "cannot be used" in told(late)
    assert not by_stock
    assert not exists(homeserver, guest)
    assert is_valid()
    sign_up(server, link, guest)
    assert exists(homeserver, guest)


@pytest.fixture(scope="module")
def admin(homeserver):
    """Return a token for Synapse's admin API."""
    return homeserver.login(homeserver.new_user(admin=True))["access_token"]


def token_of(link):
    return parse_qs(urlsplit(link).query)["token"][0]


def test_what_an_administrator_deletes_makes_room(homeserver, server, admin):
    """With Synapse's own API; what the page says can be made can be made."""
    browser = invitations_of(server, homeserver.new_user())
    for _ in range(5):
        page = browser.submit(decision="invite")
    tokens = [token_of(link) for link in links_on(page)]
    for token in tokens[:2]:
        path = f"/_synapse/admin/v1/registration_tokens/{token}"
        assert server.api("DELETE", path, admin).status_code == 200

    page = browser.get(server.url("account-invitations"))
    assert "You can make 2 more" in told(page)
    assert "The invitation is made" in told(browser.submit(decision="invite"))
    last = browser.submit(decision="invite")
    assert "The invitation is made" in told(last)
    assert len(links_on(last)) == 5
    assert "You have made as many as you may for now" in told(last)


def test_what_an_administrator_changes_counts(homeserver, server, admin, operator):
    """With Synapse's own API: the pages and the command say what is so, and welcome nobody in vain."""
    browser = invitations_of(server, homeserver.new_user())
    (link,) = links_on(browser.submit(decision="invite"))
    token = token_of(link)

    def change(**values):
        path = f"/_synapse/admin/v1/registration_tokens/{token}"
        assert server.api("PUT", path, admin, json=values).status_code == 200

    def seen():
        mine = browser.get(server.url("account-invitations"))
        assert ("Former ones" in told(mine)) is (links_on(mine) == [])
        (state,) = {
            each["state"]
            for each in operator.ask("invitations list")["invitations"]
            if each["token"] == token
        }
        asked = Browser(server).get(link).text
        return links_on(mine) == [link], "You are invited" in asked, state

    open_, over = (True, True, "open"), (False, False, "over")
    assert seen() == open_
    change(uses_allowed=0)
    assert seen() == over
    change(uses_allowed=1, expiry_time=int(time.time() * 1000) + 300)
    assert eventually(lambda: seen() == over)
    assert "You can make 5 more" in told(browser.page)
    change(expiry_time=None)
    homeserver.query(
        "UPDATE nextgen_invitations SET made_at = 1000, expires_at = 2000 WHERE token = ?", token
    )
    assert seen() == open_
    assert "Good until" not in told(browser.page)
    assert links_on(browser.submit(decision="withdraw", invitation=token)) == []
    assert seen() == over

"""Passkeys on several processes: an answer counts once, a key is made once, and a copy is noticed."""

from urllib.parse import urlsplit

import requests

from homeserver.test_passkeys import a_key, add, form_of, question
from support.deployment import PROCESSES, at_once
from support.oauth import Browser

# So often each process is asked at the same moment.
ROUNDS = 2


def with_a_passkey(deployment, **fields):
    """Return an account, a browser in which it is signed in, and its passkey."""
    user, key = deployment.new_user(), a_key(deployment, **fields)
    browser = Browser.of(deployment.server(), user)
    assert "Your recovery codes" in add(browser, key).text
    return user, browser, key


def everywhere(deployment, browser, data):
    """Send a form of the present page to each process at once, as this browser."""
    path, cookies = urlsplit(form_of(browser.page)[0]), browser.http.cookies.get_dict()

    def send(name):
        url = path._replace(netloc=urlsplit(deployment.process(name).base_url).netloc).geturl()
        answer = requests.post(url, data=data, cookies=cookies, allow_redirects=False, timeout=60)
        return answer.status_code

    return at_once(*(lambda name=name: send(name) for name in PROCESSES * ROUNDS))


def answered(browser, answer):
    return {**form_of(browser.page)[1], "passkey": answer, "decision": "passkey"}


def sign_ins(deployment, user):
    rows = deployment.query(
        "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ? AND ended_at IS NULL", user.user_id
    )
    return rows[0][0]


def events(deployment, user):
    rows = deployment.query("SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id)
    return [kind for (kind,) in rows]


def test_c279_of_three_processes_one_takes_an_answer(deployment):
    """Signing in without a name: one sign-in comes of it, and nobody is told of a copy."""
    user, _, key = with_a_passkey(deployment)
    before, browser = sign_ins(deployment, user), Browser(deployment.server("worker1"))
    page = browser.get(browser.server.url("sign-in"))

    answers = everywhere(deployment, browser, answered(browser, key.use(question(page))))

    assert answers.count(303) == 1
    assert set(answers) <= {303, 403, 409}
    assert sign_ins(deployment, user) == before + 1
    assert "passkey_copied" not in events(deployment, user)


def test_c279_of_three_processes_one_takes_it_as_a_second_factor(deployment):
    """Beside the password, in one attempt: whoever is late is led on, and signed in once."""
    user, _, key = with_a_passkey(deployment, counts=True)
    before, browser = sign_ins(deployment, user), Browser(deployment.server("worker2"))
    browser.get(browser.server.url("sign-in"))
    page = browser.sign_in(user.localpart, user.password)
    assert "/factor?attempt=" in page.url

    answers = everywhere(deployment, browser, answered(browser, key.use(question(page))))

    assert answers.count(303) == 1
    assert sign_ins(deployment, user) == before + 1
    assert "passkey_copied" not in events(deployment, user)


def test_c282_of_three_processes_one_adds_what_was_made(deployment):
    """One key, and one set of recovery codes."""
    user, key = deployment.new_user(), a_key(deployment)
    browser = Browser.of(deployment.server(), user)
    page = browser.get(browser.server.url("account-passkey-add"))

    everywhere(deployment, browser, answered(browser, key.make(question(page))))

    rows = deployment.query("SELECT COUNT(*) FROM nextgen_passkeys WHERE user_id = ?", user.user_id)
    codes = deployment.query(
        "SELECT COUNT(*) FROM nextgen_recovery_codes WHERE user_id = ?", user.user_id
    )
    assert (rows, codes) == ([(1,)], [(10,)])
    assert events(deployment, user).count("factor_added") == 1


def test_a_copy_is_noticed_whichever_process_it_turns_to(deployment):
    """The counter that one process saw is looked at by the others."""
    user, _, key = with_a_passkey(deployment)
    for name in PROCESSES:
        browser = Browser(deployment.server(name))
        page = browser.get(browser.server.url("sign-in"))
        action, _ = form_of(page)
        data = answered(browser, key.use(question(page)))
        assert browser.http.post(action, data=data, allow_redirects=False).status_code == 303
    key.count = 1
    browser = Browser(deployment.server("worker1"))
    page = browser.get(browser.server.url("sign-in"))
    data = answered(browser, key.use(question(page)))
    refused = browser.http.post(form_of(page)[0], data=data, allow_redirects=False)

    assert refused.status_code == 403
    assert events(deployment, user).count("passkey_copied") == 1

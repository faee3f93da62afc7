"""Links where several processes serve them."""

from concurrent.futures import ThreadPoolExecutor

from support.commands import Operator
from support.deployment import PROCESSES, WORKERS
from support.oauth import Browser

PASSWORD = "correct horse battery staple of another stable"


def test_a_link_that_one_process_made_sets_a_password_on_another_and_ends_everything(deployment):
    """On a worker: sessions, devices and tokens of Synapse's own are over on every process."""
    user, worker = deployment.new_user(), deployment.server("worker1")
    tokens = deployment.server().client().sign_in(user.localpart, user.password)
    legacy = deployment.login(user)["access_token"]
    made = (
        Operator.of(deployment)
        .at(deployment.process("worker2"))
        .ask("set-password-link", user=user.user_id)
    )
    browser = Browser(worker)

    browser.get(worker.url(f"set-password?{made['url'].partition('?')[2]}"))
    browser.submit(password=PASSWORD, sign_out="yes", decision="set")

    assert browser.page.status_code == 200
    for name in PROCESSES:
        for token in (tokens["access_token"], legacy):
            assert deployment.server(name).whoami(token).status_code == 401
    assert (
        deployment.query("SELECT 1 FROM devices WHERE user_id = ? AND NOT hidden", user.user_id)
        == []
    )


def test_c251_pressed_at_once_on_two_processes_a_link_sets_one_password(deployment):
    user = deployment.new_user()
    made = Operator.of(deployment).ask("set-password-link", user=user.user_id)
    query, browsers = made["url"].partition("?")[2], []
    for name in WORKERS * 3:
        server = deployment.server(name)
        browsers.append(Browser(server))
        browsers[-1].get(server.url(f"set-password?{query}"))

    def press(number):
        fields = {"password": f"{PASSWORD} {number}", "sign_out": "yes", "decision": "set"}
        return browsers[number].submit(**fields).status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        codes = sorted(pool.map(press, range(len(browsers))))

    assert codes == [200, *[410] * 5]

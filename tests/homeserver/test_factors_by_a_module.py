"""Second factors that only another module speaks of: announced, asked for, and protecting."""

import pytest

from support.oauth import Browser, Server
from support.providers import servers
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


@pytest.fixture(scope="module")
def by_module(tmp_path_factory, make_database):
    """Yield a homeserver whose own options say nothing of second factors, and protect by them."""
    directory = tmp_path_factory.mktemp("homeserver-by-module")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={"step_up": {"requests": [{"path": "admin_api", "factors": 2}]}},
        config={"modules": [{"module": "support.rulers.Ruler"}]},
    )
    servers.lend_support(directory)
    with homeserver:
        yield homeserver


def test_they_are_announced_and_the_rest_is_as_with_a_policy(by_module):
    """The module is loaded after this one; nothing is said that does not hold."""
    server = Server(by_module.base_url)

    assert server.metadata()["acr_values_supported"] == [
        *("phr", "urn:nextgen-auth:acr:two-factors", "https://refeds.org/profile/mfa"),
        "urn:nextgen-auth:acr:one-factor",
    ]
    # What begins once that was looked at.
    assert eventually(lambda: by_module.query("SELECT kid FROM nextgen_signing_keys"))
    assert "takes two factors, and nobody has two" not in by_module.log_text()


def test_c293_who_is_named_there_sets_one_up_first(by_module):
    server = Server(by_module.base_url)
    guard, other = by_module.register_user("guard1"), by_module.new_user()
    browser = Browser(server)
    browser.get(server.url("sign-in"))

    assert "/factor-enrol" in browser.sign_in(guard.localpart, guard.password).url
    assert Browser.of(server, other).get(server.url("account")).status_code == 200

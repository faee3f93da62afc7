"""What the documentation shows as an example works, and what it calls wrong is refused."""

import json
import re

import pytest
import yaml

from support.markdown import DOCS, blocks, name, pages, rows, section
from synapse_nextgen_auth import config
from synapse_nextgen_auth.cli.homeserver_yaml import MODULE
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.client_metadata import read_metadata
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules
from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
from synapse_nextgen_auth.oauth.errors import OAuthError

CLIENTS = DOCS / "topics" / "clients.md"
SECRET = "a secret in a file, long enough for any use"


def _options(page):
    """Return the module's options in each YAML block of a page that has some."""
    for block in blocks(page, "yaml"):
        modules = (yaml.safe_load(block) or {}).get("modules", [])
        yield from (entry["config"] for entry in modules if entry.get("config"))


EXAMPLES = [(name(page), options) for page in pages() for options in _options(page)]


def _with_files(options, directory):
    """Return options whose files exist: below `directory` instead of /etc."""
    text = json.dumps(options)
    for path in re.findall(r'"/etc/matrix-synapse/([^"/]+)"', text):
        (directory / path).write_text(SECRET)
    return json.loads(text.replace('"/etc/matrix-synapse/', f'"{directory}/'))


@pytest.mark.parametrize(("page", "options"), EXAMPLES, ids=lambda value: str(value)[:60])
def test_every_example_of_options_is_accepted(page, options, tmp_path):
    """What a page shows below `config` can be copied."""
    read = config.read(_with_files(options, tmp_path))

    assert read != config.Config()


def test_the_examples_use_the_module_that_there_is():
    """No page shows a module line that Synapse could not load."""
    shown = [
        entry["module"]
        for page in pages()
        for block in blocks(page, "yaml")
        for entry in (yaml.safe_load(block) or {}).get("modules", [])
    ]

    assert len(shown) > 10
    assert set(shown) == {MODULE}


def test_configured_clients_show_every_way_of_authentication(tmp_path):
    """An operator finds an example for each `token_endpoint_auth_method`."""
    configs = [config.read(_with_files(options, tmp_path)) for options in _options(CLIENTS)]
    shown = {written.client.auth_method for read in configs for written in read.clients}

    assert shown == set(AuthMethod)


def test_the_registration_shown_is_accepted():
    """The JSON of a registration can be copied."""
    shown = [json.loads(block) for block in blocks(CLIENTS, "json")]
    read = [read_metadata(document, rules=RegistrationRules()) for document in shown]

    assert [metadata.redirect_uris for metadata in read] == [("https://app.example.com/callback",)]


def _refusal(application_type, client_uri, redirect_uri, rules):
    document = {
        "application_type": application_type,
        "client_uri": client_uri,
        "redirect_uris": [redirect_uri],
        "token_endpoint_auth_method": "none",
    }
    try:
        read_metadata(document, rules=RegistrationRules(redirects=rules))
    except OAuthError as error:
        return error.description
    return None


def _table(heading):
    found = rows(section(CLIENTS, heading))
    return [[cell.strip("`") for cell in row] for row in found]


def _check(refusal, *, verdict, why):
    if verdict == "right":
        assert refusal is None
    else:
        assert verdict == "wrong"
        assert why in (refusal or "")


@pytest.mark.parametrize(
    ("application_type", "uri", "verdict", "why"), _table("Redirect URIs that may be registered")
)
def test_redirect_uris_are_right_or_wrong_as_the_table_says(application_type, uri, verdict, why):
    """The table of redirect URIs is what registration does, with the reason it gives."""
    refusal = _refusal(application_type, "https://app.example.com/", uri, RedirectRules())

    _check(refusal, verdict=verdict, why=why)


@pytest.mark.parametrize(
    ("application_type", "client_uri", "uri", "verdict", "why"),
    _table("Clients under development"),
)
def test_clients_under_development_are_on_loopback(application_type, client_uri, uri, verdict, why):
    """The table for loopback homeservers is what registration does there."""
    rules = RedirectRules(allow_loopback_web=True)
    refusal = _refusal(application_type, client_uri, uri, rules)

    _check(refusal, verdict=verdict, why=why)

"""What programs of others post when they register, and what it takes that they are let in.

The bodies are those of their sources, of their own trackers or of what other servers recorded; what
does not matter for the rules is left out.
"""

import attrs
import pytest

from synapse_nextgen_auth.oauth.clients.client_metadata import read_metadata
from synapse_nextgen_auth.oauth.clients.redirects import RedirectRules
from synapse_nextgen_auth.oauth.clients.registration_rules import RegistrationRules
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.hosts import Listed

STRICT = RedirectRules(own_hosts=frozenset({"matrix.example.com"}))
WAYS = {
    "allow_without_client_uri": attrs.evolve(STRICT, allow_without_client_uri=True),
    "allow_other_hosts": attrs.evolve(STRICT, allow_other_hosts=True),
    "allow_loopback_web": attrs.evolve(STRICT, allow_loopback_web=True),
    "public_hosts": attrs.evolve(STRICT, listed=Listed.of(["chat", "192.168.0.0/16"])),
}
NATIVE = {"application_type": "native", "token_endpoint_auth_method": "none"}
NONE = {"token_endpoint_auth_method": "none"}

DEFAULT = {
    "mcp-remote (no type, the port of the moment)": NONE
    | {
        "redirect_uris": ["http://localhost:3334/oauth/callback"],
        "client_name": "MCP CLI Proxy",
        "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
        "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d",
    },
    "MCP Inspector (no type, two addresses)": NONE
    | {
        "redirect_uris": [
            "http://localhost:6274/oauth/callback",
            "http://localhost:6274/oauth/callback/debug",
        ],
        "client_name": "MCP Inspector",
        "client_uri": "https://github.com/modelcontextprotocol/inspector",
        "scope": "",
    },
    "a script made with a library": NONE
    | {"redirect_uris": ["http://127.0.0.1:8000/cb"], "client_uri": "http://localhost"},
    "a tool that gives its machine as its page": NATIVE
    | {"redirect_uris": ["http://127.0.0.1:5000/"], "client_uri": "https://localhost"},
    "Element Web": NONE
    | {
        "client_uri": "https://app.element.io/",
        "redirect_uris": ["https://app.element.io/?no_universal_links=true"],
        "application_type": "web",
    },
    "Element Desktop": NATIVE
    | {"client_uri": "https://element.io", "redirect_uris": ["io.element.desktop:/vector/webapp/"]},
    "Element X on Android": NATIVE
    | {"client_uri": "https://element.io/", "redirect_uris": ["io.element.android:/"]},
    "Element X on iOS": NATIVE
    | {"client_uri": "https://element.io/", "redirect_uris": ["https://element.io/oidc/login"]},
    "Fractal": NATIVE
    | {
        "client_uri": "https://gitlab.gnome.org/World/fractal/",
        "redirect_uris": ["http://127.0.0.1/", "http://[::1]/"],
    },
    "a client on matrix-rust-sdk's local server": NATIVE
    | {
        "client_uri": "https://github.com/flaxeneel2/echelon/",
        "redirect_uris": ["http://127.0.0.1:20001/"],
        "grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
    },
    "a website with a server (OpenID Connect)": {
        "redirect_uris": ["https://wiki.example.net/oidc/callback"],
        "client_name": "Wiki",
    },
}
WITH = {
    "Claude Code, without a page of its own": (
        NATIVE | {"redirect_uris": ["http://localhost:3118/callback"]},
        "allow_without_client_uri",
    ),
    "Codex, without a page of its own": (
        NATIVE | {"redirect_uris": ["http://127.0.0.1:37819/callback/x"]},
        "allow_without_client_uri",
    ),
    "a probe that says neither type nor page": (
        NONE | {"redirect_uris": ["http://localhost:53999/callback"]},
        "allow_without_client_uri",
    ),
    "the Python SDK of MCP, with a secret": (
        {
            "redirect_uris": ["http://localhost:3030/callback"],
            "token_endpoint_auth_method": "client_secret_post",
        },
        "allow_without_client_uri",
    ),
    "AppAuth, with the scheme of its app": (
        {
            "redirect_uris": ["net.openid.appauthdemo:/oauth2redirect"],
            "application_type": "native",
            "token_endpoint_auth_method": "client_secret_basic",
        },
        "allow_without_client_uri",
    ),
    "a hosted assistant": (
        NONE | {"redirect_uris": ["https://assistant.example.net/api/mcp/auth_callback"]},
        "allow_without_client_uri",
    ),
    "VS Code, whose way back is another site": (
        NATIVE
        | {
            "client_uri": "https://code.visualstudio.com",
            "redirect_uris": [
                "https://insiders.vscode.dev/redirect",
                "https://vscode.dev/redirect",
                "http://127.0.0.1/",
                "http://127.0.0.1:33418/",
            ],
        },
        "allow_other_hosts",
    ),
    "Element Web under development, https": (
        NONE
        | {
            "client_uri": "https://localhost:8443/",
            "redirect_uris": ["https://localhost:8443/?no_universal_links=true"],
            "application_type": "web",
        },
        "allow_loopback_web",
    ),
    "Element Web under development, http": (
        NONE
        | {
            "client_uri": "http://localhost:8080/",
            "redirect_uris": ["http://localhost:8080/?no_universal_links=true"],
            "application_type": "web",
        },
        "allow_loopback_web",
    ),
    "a client in the network, by name": (
        NONE | {"client_uri": "https://chat/", "redirect_uris": ["https://chat/cb"]},
        "public_hosts",
    ),
    "a client in the network, by address": (
        NONE | {"client_uri": "https://192.168.1.5/", "redirect_uris": ["https://192.168.1.5/cb"]},
        "public_hosts",
    ),
}
# The scheme of an app has a dot and no authority (RFC 8252 section 7.1): anybody could take `cursor`.
NEVER = {
    "Cursor before it went to loopback": NONE
    | {
        "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"],
        "client_uri": "https://cursor.com",
    },
    "a scheme without a name": NATIVE
    | {"redirect_uris": ["myapp:/cb"], "client_uri": "https://example.com"},
    "plain http in the network": NONE
    | {"redirect_uris": ["http://192.168.1.5/cb"], "client_uri": "http://192.168.1.5/"},
    "the homeserver itself": NONE
    | {
        "redirect_uris": ["https://matrix.example.com/cb"],
        "client_uri": "https://matrix.example.com/",
    },
}


def refusal(document, rules):
    """Return why a document is refused, or `None`."""
    grants = frozenset({"authorization_code", "refresh_token"})
    try:
        read_metadata(document, rules=RegistrationRules(grants, rules))
    except OAuthError as error:
        return error.description
    return None


@pytest.mark.parametrize("document", DEFAULT.values(), ids=DEFAULT)
def test_these_register_as_they_come(document):
    """Without any option."""
    assert refusal(document, STRICT) is None


@pytest.mark.parametrize(("document", "option"), WITH.values(), ids=WITH)
def test_these_take_an_option_that_the_refusal_names(document, option):
    """Each is refused by default, and the message says what would let it in: that option, alone."""
    refused = refusal(document, STRICT)

    assert refused is not None
    assert f"client_registration.{option}" in refused
    assert refusal(document, WAYS[option]) is None
    for other, rules in WAYS.items():
        assert (refusal(document, rules) is None) == (other == option), other


@pytest.mark.parametrize("document", NEVER.values(), ids=NEVER)
def test_these_are_never_let_in(document):
    """Whatever is switched on."""
    everything = attrs.evolve(
        STRICT,
        allow_without_client_uri=True,
        allow_other_hosts=True,
        allow_loopback_web=True,
        listed=Listed.of(["chat", "192.168.0.0/16"]),
    )

    assert refusal(document, STRICT)
    assert refusal(document, everything)

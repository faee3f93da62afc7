"""A homeserver as the internet sees it, behind a proxy that speaks TLS, with clients in its YAML."""

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from synapse_nextgen_auth.oauth.scopes.permissions import API, KEYS, READ, SEND, SERVER_ADMIN

PUBLIC_URL = "https://matrix.example.com/"
ISSUER = f"{PUBLIC_URL}_synapse/client/auth/"

# Every character that form-urlencoding and Basic have trouble with.
SECRET = "p%2B+:/ =&~-secret"
KEY = ec.generate_private_key(ec.SECP256R1())
KEY_OF_NOBODY = ec.generate_private_key(ec.SECP256R1())
MAX_DEVICES = 6
SERVICE_ACCOUNT = "the-backup"
HARVESTER = "the-harvester"
CALLBACK = "https://dashboard.example.org/callback"


def _public_jwk(key, **more):
    return {**jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key(), as_dict=True), **more}


CLIENTS = [
    {"client_id": "basic", "client_name": "Dashboard", "client_secret": SECRET},
    {
        "client_id": "post",
        "client_secret": SECRET,
        "token_endpoint_auth_method": "client_secret_post",
    },
    {"client_id": "key", "jwks": {"keys": [_public_jwk(KEY, kid="k1")]}},
    {"client_id": "without-pkce", "client_secret": SECRET},
    {"client_id": "public", "client_uri": "https://dashboard.example.org/"},
    {
        "client_id": "wall-display",
        "client_name": "Display in the hall",
        "redirect_uris": [],
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
    },
    {
        "client_id": "backup",
        "client_name": "Backup",
        "client_secret": SECRET,
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "service_account": SERVICE_ACCOUNT,
        "scope": "urn:matrix:client:api:* urn:synapse:admin:*",
    },
    {
        "client_id": "harvester",
        "client_secret": SECRET,
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "service_account": HARVESTER,
        "scope": "calendar.read wiki",
        "resource": "urn:example:wiki",
    },
    {
        "client_id": "absent",
        "jwks": {"keys": [_public_jwk(KEY, kid="k1")]},
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "service_account": "@nobody-is-called-this:localhost",
        "scope": "urn:matrix:client:api:* urn:matrix:client:device:OWNDEVICE1",
    },
]

CALENDAR, WIKI = "https://calendar.example.org/", "urn:example:wiki"
SERVICES = [
    {
        "resource": CALENDAR,
        "name": {"en": "Calendar", "de": "Kalender"},
        "scopes": {
            "calendar.read": {"en": "See your appointments", "de": "Ihre Termine sehen"},
            "calendar.write": "Change your appointments",
        },
        "token_lifetime": "10m",
        "client_id": "calendar",
        "client_secret": SECRET,
    },
    {
        "resource": WIKI,
        "name": "Wiki",
        "scopes": {"wiki": "Write pages in your name"},
        "token_format": "opaque",
        "client_id": "wiki",
        "jwks": {"keys": [_public_jwk(KEY, kid="k1")]},
    },
    {
        "resource": "https://lamp.example.org/",
        "name": "Lamp",
        "scopes": {"lamp": "Switch the light"},
        "signing_alg": "ES256",
    },
]

MODULE = {
    "resource_servers": SERVICES,
    "clients": [{"redirect_uris": [CALLBACK], **client} for client in CLIENTS],
    "pkce_exempt": ["without-pkce"],
    # Enough for the tests of one session; those about the limit come from addresses of their own.
    "client_registration": {"burst": 50, "per_second": 0.02},
    "personal_tokens": {"scopes": [READ, SEND, KEYS], "scopes_of_admins": [API, SERVER_ADMIN]},
    "sessions": {"idle_lifetime": "30d", "lifetime": "90d", "max_devices": MAX_DEVICES},
}

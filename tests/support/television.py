"""A device without a browser, and what a person does for it in a browser elsewhere (RFC 8628)."""

import attrs

from support.oauth import API, DEVICE, Client, device_id, web_client

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
METADATA = {
    "application_type": "native",
    "redirect_uris": None,
    "response_types": [],
    "grant_types": [DEVICE_CODE, "refresh_token"],
}


@attrs.define
class Television:
    """A device that wants to sign in; `answer` has its codes."""

    client: Client
    scope: str
    answer: dict

    @classmethod
    def begin(cls, server, *, scope=None, **metadata):
        """Register a client with the device grant and begin one."""
        client = server.client(web_client(**{**METADATA, **metadata}))
        return cls.of(client, scope=scope)

    @classmethod
    def of(cls, client, *, scope=None):
        """Begin a device grant for a client."""
        scope = scope or f"{API} {DEVICE}{device_id()}"
        form = {"client_id": client.id, "scope": scope}
        answer = client.server.post("device-authorization", form)
        assert answer.status_code == 200, answer.text
        return cls(client, scope, answer.json())

    @property
    def device_id(self):
        return self.scope.rpartition(":")[2]

    @property
    def user_code(self):
        return self.answer["user_code"]

    @property
    def wrong_code(self):
        """Return a code that is none, with another first half."""
        return ("BCD-F" if self.user_code[:5] != "BCD-F" else "CDF-G") + "BC-DFG"

    def poll(self, *, at=None, **changes):
        """Ask for the tokens, at this server or at the client's own."""
        form = {
            "grant_type": DEVICE_CODE,
            "device_code": self.answer["device_code"],
            "client_id": self.client.id,
        }
        return (at or self.client.server).token(**(form | changes))


def forget_wrong_codes(homeserver):
    """Begin the counts anew: all tests together come from one address."""
    homeserver.query("DELETE FROM nextgen_throttle WHERE key LIKE 'user code %'")


def enter(browser, tv, user, code=None):
    """Enter the code and sign in; return the page that asks."""
    browser.get(tv.answer["verification_uri"])
    browser.submit(user_code=code or tv.user_code)
    return browser.sign_in(user.localpart, user.password)


def let_in(browser, tv, user):
    """Do all that a person does."""
    enter(browser, tv, user)
    return browser.submit(decision="approve", confirm="yes")

"""Create accounts on a running Synapse through its shared-secret registration API."""

import hmac
import http.client
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import attrs

from synapse_nextgen_auth.accounts.legacy_login import IN_BROWSER, NEEDS_FACTOR
from synapse_nextgen_auth.records import frozen

_REGISTER = "/_synapse/admin/v1/register"
_CLIENT = "/_matrix/client/v3"
_PATIENCE = 120  # seconds
_TOLD_AFTER = 3  # seconds
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeiou"


class AccountError(Exception):
    """Synapse refused a request about an account; the message is its own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@frozen
class Credentials:
    """A name and the password that goes with it."""

    localpart: str
    password: str = attrs.field(repr=False)
    admin: bool = False

    def user_id(self, server_name: str) -> str:
        """Return the Matrix id."""
        return f"@{self.localpart}:{server_name}"


@frozen
class SharedSecret:
    """The right to create accounts on the Synapse at this port."""

    port: int
    value: str = attrs.field(repr=False)

    def register(self, credentials: Credentials) -> None:
        """Create the account without signing it in."""
        self._register(credentials, inhibit_login=True)

    def ensure(
        self,
        credentials: Credentials,
        *,
        server_name: str,
        trusted: bool,
        tell: Callable[[str], None],
    ) -> None:
        """Create the account, or let one that is there be as these say.

        The password of one that somebody else may have made is set anew in any case (`trusted`). Where
        that takes a while, `tell` hears why.
        """
        user_id = credentials.user_id(server_name)
        try:
            self.register(credentials)
        except AccountError as error:
            if error.code != "M_USER_IN_USE":
                raise
            if not trusted or not self.fits(user_id, credentials.password):
                self._reset_password(user_id, credentials, tell)

    def fits(self, user_id: str, password: str) -> bool:
        """Say whether this is the account's password: it signs in once, and out again.

        Where the account signs in in the browser alone, nobody hears so who has another password. One
        that Synapse did not look at, because of a limit, is not set again either.
        """
        login = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user_id},
            "password": password,
        }
        try:
            token = _call(self.port, "POST", f"{_CLIENT}/login", login)["access_token"]
        except AccountError as error:
            was_limited = error.code == "M_LIMIT_EXCEEDED"
            return was_limited or str(error).startswith((IN_BROWSER, NEEDS_FACTOR))
        _call(self.port, "POST", f"{_CLIENT}/logout", {}, token)
        return True

    def _reset_password(
        self, user_id: str, credentials: Credentials, tell: Callable[[str], None]
    ) -> None:
        """Set the password as an administrator who exists for just that long."""
        helper = Credentials(f"demo-{secrets.token_hex(8)}", memorable_password(), admin=True)
        session = self._register(helper, inhibit_login=False)
        token, helper_id = session["access_token"], quote(session["user_id"])
        change = {
            "password": credentials.password,
            "logout_devices": False,
            "admin": credentials.admin,
            "deactivated": False,
        }
        path = f"/_synapse/admin/v2/users/{quote(user_id)}"
        words = (
            f"Synapse does not set the password of {user_id} yet: it opens a closed account again once"
            f" an index of its own is there. Trying for up to {_PATIENCE} seconds"
        )
        patiently(lambda: _call(self.port, "PUT", path, change, token), lambda: tell(words))
        leave = f"/_synapse/admin/v1/deactivate/{helper_id}"
        _call(self.port, "POST", leave, {"erase": True}, token)

    def _register(self, credentials: Credentials, *, inhibit_login: bool) -> dict[str, Any]:
        nonce = _call(self.port, "GET", _REGISTER)["nonce"]
        kind = "admin" if credentials.admin else "notadmin"
        signed = f"{nonce}\0{credentials.localpart}\0{credentials.password}\0{kind}"
        request = {
            "nonce": nonce,
            "username": credentials.localpart,
            "password": credentials.password,
            "admin": credentials.admin,
            "mac": hmac.new(self.value.encode(), signed.encode(), "sha1").hexdigest(),
            "inhibit_login": inhibit_login,
        }
        return _call(self.port, "POST", _REGISTER, request)


def memorable_password() -> str:
    """Draw a password of 50 random bits that can be read out and typed."""
    draw = secrets.choice
    return "-".join("".join(draw(_CONSONANTS) + draw(_VOWELS) for _ in range(2)) for _ in range(4))


def patiently(call: Callable[[], object], tell: Callable[[], None]) -> None:
    """Call until Synapse can: it opens a closed account again once an index of its own is there."""
    for seconds in range(_PATIENCE):
        try:
            call()
        except AccountError as error:
            if error.code != "M_UNKNOWN":
                raise
            if seconds == _TOLD_AFTER:
                tell()
            time.sleep(1)
        else:
            return
    call()


def _call(
    port: int, method: str, path: str, body: dict[str, Any] | None = None, token: str = ""
) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.load(response)
    finally:
        connection.close()
    if response.status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED):
        raise AccountError(answer.get("errcode", ""), answer.get("error", ""))
    return answer

"""What a request that Synapse guards asks for, and whether a page may promise it.

It is read from its raw body: the one that Synapse hands to the gate lacks a new password.
"""

from collections.abc import Mapping
from typing import Any

import attrs
from synapse.api.errors import Codes, SynapseError
from synapse.http.servlet import parse_json_object_from_request
from synapse.http.site import SynapseRequest
from synapse.types import Requester

from synapse_nextgen_auth.accounts import approvals
from synapse_nextgen_auth.accounts.approvals import Details, Operation, Request
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.http import address
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring

NEEDS = (
    Needed("synapse.http.servlet", "parse_json_object_from_request", ("allow_empty_body",)),
    Needed(
        "synapse.handlers.identity",
        "IdentityHandler.validate_threepid_session",
        ("client_secret", "sid"),
    ),
    Needed("synapse.handlers.auth", "AuthHandler.can_change_password"),
    Needed(
        "synapse.module_api.callbacks.third_party_event_rules_callbacks",
        "ThirdPartyEventRulesModuleApiCallbacks.check_can_deactivate_user",
        ("user_id", "by_admin"),
    ),
    *members(
        "synapse.server",
        "HomeServer",
        "get_auth_handler",
        "get_identity_handler",
        "get_module_api_callbacks",
    ),
)


@frozen
class Asked:
    """A request that waits for its person, what it says, and the session that the client names."""

    request: Request
    body: Mapping[str, Any] = attrs.field(repr=False)
    ui_session: str | None
    address: str

    @property
    def is_empty(self) -> bool:
        """Whether it deletes no device at all: nothing happens, so nobody is asked."""
        return self.request.operation is Operation.DELETE_DEVICES and not self.devices

    @property
    def devices(self) -> tuple[str, ...]:
        """The ids of the devices that it deletes."""
        return approvals.devices_in(self.request.path, self.body)


def read(
    requester: Requester, request: SynapseRequest, session_id: str, keys: Keyring
) -> Asked | None:
    """Return what a request asks for; `None` where it is none that a page of ours has words for."""
    method = request.method.decode("ascii")
    path = (request.path or b"").decode("ascii")
    operation = approvals.operation_of(method, path)
    if operation is None:
        return None
    body = _body(request)
    stage = body.get("auth")
    named = stage.get("session") if isinstance(stage, dict) else None
    return Asked(
        Request(
            user_id=requester.user.to_string(),
            session_id=session_id,
            device_id=requester.device_id,
            operation=operation,
            method=method,
            path=path,
            body=approvals.digest_of(keys, body),
        ),
        body,
        named if isinstance(named, str) else None,
        address(request),
    )


def _body(request: SynapseRequest) -> dict[str, Any]:
    """Return what was sent; Synapse takes what is no JSON for nothing where it deletes devices."""
    assert request.content is not None  # noqa: S101 (Synapse read it)
    request.content.seek(0)
    try:
        body: dict[str, Any] = parse_json_object_from_request(request, allow_empty_body=True)
    except SynapseError as error:
        if error.errcode != Codes.NOT_JSON:
            raise
        return {}
    finally:
        request.content.seek(0)
    return body


class Promises:
    """Says what a page may promise: what Synapse would refuse in the end is refused at once."""

    def __init__(self, homeserver: Homeserver) -> None:
        hs = homeserver.hs
        self._identities = hs.get_identity_handler()
        self._auth_handler = hs.get_auth_handler()
        self._rules = hs.get_module_api_callbacks().third_party_event_rules

    async def details(self, asked: Asked) -> Details:
        """Return what the page describes; raise what the client is told that can have none of it."""
        operation, body = asked.request.operation, asked.body
        if not approvals.is_text(body) or any(map(approvals.is_no_device, asked.devices)):
            raise SynapseError(400, "Not the id of a device, or no text", Codes.INVALID_PARAM)
        if operation is Operation.DELETE_DEVICES:
            if len(asked.devices) > approvals.MOST_DEVICES:
                most = approvals.MOST_DEVICES
                raise SynapseError(413, f"Ask for at most {most} devices at once", Codes.TOO_LARGE)
            return Details(devices=asked.devices)
        if operation is Operation.CHANGE_PASSWORD:
            if not self._auth_handler.can_change_password():
                raise SynapseError(403, "Password change disabled", Codes.FORBIDDEN)
            if not body.get("new_password"):
                raise SynapseError(400, "Missing params: new_password", Codes.MISSING_PARAM)
            return Details(logout_devices=body.get("logout_devices", True) is not False)
        if operation is Operation.ADD_ADDRESS:
            return await self._address(body)
        if operation is Operation.DEACTIVATE:
            await self.may_deactivate(asked.request.user_id)
            return Details(erase=body.get("erase") is True)
        return Details()

    async def may_deactivate(self, user_id: str) -> None:
        """Raise what a client is told if other modules keep the account from being deactivated."""
        if not await self._rules.check_can_deactivate_user(user_id, False):
            raise SynapseError(403, "Deactivation of this user is forbidden", Codes.FORBIDDEN)

    async def _address(self, body: Mapping[str, Any]) -> Details:
        proven = await self._identities.validate_threepid_session(
            body["client_secret"], body["sid"]
        )
        if not proven:
            raise SynapseError(400, "No validated 3pid session found", Codes.THREEPID_AUTH_FAILED)
        return Details(medium=proven["medium"], address=proven["address"])

"""Where a person goes after signing in: an id of ours, never an address from the request (C194)."""

import re
from urllib.parse import urlencode

import attrs

from synapse_nextgen_auth.accounts.management import ActionRequest
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.grants.authorization_request import Parameters
from synapse_nextgen_auth.web import forms

_ID = re.compile(r"[0-9a-f]{32}")


@attrs.frozen
class Onward:
    """What the person was about to do: let a client in, approve an operation, see a device."""

    grant_id: str | None = None
    approval_id: str | None = None
    device_grant_id: str | None = None
    legacy_login_id: str | None = None
    action_request: ActionRequest | None = None
    grant: Grant | None = None
    client: Client | None = None

    @classmethod
    def of(cls, parameters: Parameters) -> "Onward":
        """Read it from the query; whether there is such a thing is for its page to find out."""
        if (grant_id := parameters.get("grant")) is not None:
            return cls(grant_id=grant_id)
        approval_id = parameters.get("request")
        if approval_id is not None and _ID.fullmatch(approval_id):
            return cls(approval_id=approval_id)
        device = parameters.get("device")
        if device is not None and _ID.fullmatch(device):
            return cls(device_grant_id=device)
        legacy = parameters.get("legacy")
        if legacy is not None and _ID.fullmatch(legacy):
            return cls(legacy_login_id=legacy)
        if (name := parameters.get("action")) is not None:
            return cls(action_request=ActionRequest.read(name, parameters.get("device_id")))
        if (session := parameters.get("session")) is not None:
            return cls(action_request=ActionRequest.read(None, None, session))
        return cls()

    @property
    def asked_for(self) -> str | None:
        """The one account that the client asks for, if it does."""
        return self.grant.user_id if self.grant else None

    @property
    def sign_in_url(self) -> str:
        """The sign-in page that comes back here."""
        return f"sign-in{self._query}"

    @property
    def next_url(self) -> str:
        """Where to go once somebody is signed in."""
        if self.grant_id is not None:
            return f"consent{self._query}"
        if self.approval_id is not None:
            return f"approve{self._query}"
        if self.device_grant_id is not None:
            return f"device?grant={self.device_grant_id}"
        if self.legacy_login_id is not None:
            return f"legacy-login?login={self.legacy_login_id}"
        return f"account{self._query}" if self.action_request else "./"

    @property
    def _query(self) -> str:
        if self.grant_id is not None:
            return f"?{urlencode({'grant': self.grant_id})}"
        if self.approval_id is not None:
            return f"?request={self.approval_id}"
        if self.device_grant_id is not None:
            return f"?device={self.device_grant_id}"
        if self.legacy_login_id is not None:
            return f"?legacy={self.legacy_login_id}"
        return f"?{self.action_request.query}" if self.action_request else ""


def again(incoming: Incoming) -> str:
    """Return where somebody goes on whose form was out of date: the same page, or the one after."""
    page = incoming.path.rpartition("/")[2]
    if page in {"sign-in", "sign-out"}:
        return Onward.of(forms.parse(incoming.query)).next_url
    query = incoming.query.decode("ascii", "replace")
    return f"{page}?{query}" if query else page

"""Where a person goes after signing in: an id of ours, never an address from the request (C194)."""

import re
from urllib.parse import urlencode

import attrs

from synapse_nextgen_auth.accounts.attempts import onward
from synapse_nextgen_auth.accounts.attempts.onward import Kind
from synapse_nextgen_auth.accounts.management import Place, Target, meant_by
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import forms

_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST_HINT = 260  # letters: of a Matrix ID, and `mxid:`
# Said of the sign-in page: that another account is to sign in, whoever is signed in.
ANOTHER = {"account": "another"}
# What the ids of each kind are called in an address.
_NAMES = {
    Kind.GRANT: "grant",
    Kind.APPROVAL: "request",
    Kind.DEVICE: "device",
    Kind.LEGACY: "legacy",
}


@frozen
class Onward:
    """What the person was about to do: let a client in, approve an operation, see a device.

    `trusted_url` is where a client of the old kind waits that nobody is asked about. `hint` is whose
    account a client's link means, in its words: it signs nobody in, and proves nothing.
    """

    goes_on: onward.Onward = attrs.field(factory=onward.Onward)
    grant: Grant | None = None
    client: Client | None = None
    device: DeviceGrant | None = None
    trusted_url: str | None = None
    hint: str | None = None

    @classmethod
    def of(cls, parameters: Parameters) -> "Onward":
        """Read it from the query; whether there is such a thing is for its page to find out."""
        goes_on = _read(parameters)
        # Of a client's link to the account; whoever else asks says it when they begin.
        return cls(goes_on, hint=_hint(parameters.get("hint")) if _is_account(goes_on) else None)

    @classmethod
    def to(cls, kind: Kind, its_id: str) -> "Onward":
        """Go on with this thing of ours."""
        return cls(onward.Onward(kind, its_id))

    @classmethod
    def to_account(cls, target: Target | None = None) -> "Onward":
        """Go on with a page about the person's account, the overview if none is named."""
        return cls.to(Kind.ACCOUNT, (target or Target()).text)

    @classmethod
    def linked(cls, parameters: Parameters) -> "Onward":
        """Read where the link of a client leads (MSC4191), and whose account it means."""
        target = meant_by(parameters.get("action"), parameters.get("device_id"))
        hint = _hint(parameters.get("login_hint"))
        return attrs.evolve(cls.to_account(target), hint=hint)

    @classmethod
    def at(cls, place: Place, parameters: Parameters) -> "Onward":
        """Return to the page about the account that somebody is on."""
        return cls.to_account(Target.read(place.value, parameters.get("id")))

    @property
    def grant_id(self) -> str | None:
        """The grant that waits for the sign-in."""
        return self.goes_on.grant_id

    @property
    def approval_id(self) -> str | None:
        """The request of a session that waits for it."""
        return self.goes_on.id if self.goes_on.kind is Kind.APPROVAL else None

    @property
    def asked_for(self) -> str | None:
        """The one account that the client asks for, if it does."""
        if self.device is not None:
            return self.device.asked_for
        return self.grant.user_id if self.grant else None

    @property
    def login_hint(self) -> str | None:
        """Whom the client means, in its words."""
        if self.device is not None:
            return self.device.login_hint
        return self.grant.login_hint if self.grant else self.hint

    @property
    def can_be_declined(self) -> bool:
        """Whether an application or a device waits that can be told no."""
        return self.grant is not None or self.device is not None

    @property
    def goes_to(self) -> str | None:
        """Where a form on the way may end up at once: the policy of its page names it (C202)."""
        return self.grant.redirect_uri if self.grant else self.trusted_url

    @property
    def goes_further(self) -> bool:
        """Whether what waits there has a server, which may send people on to another host."""
        return self.trusted_url is not None or (
            self.client is not None and not self.client.is_public
        )

    @property
    def device_grant_id(self) -> str | None:
        """The device that waits for the sign-in."""
        return self.goes_on.id if self.goes_on.kind is Kind.DEVICE else None

    @property
    def sign_in_url(self) -> str:
        """The sign-in page that comes back here."""
        return _url("sign-in", self._query)

    @property
    def other_account_url(self) -> str:
        """The sign-in page that comes back here, for another account than the one that is signed in."""
        return _url("sign-in", {**self._query, **ANOTHER})

    @property
    def sign_up_url(self) -> str:
        """The page on which a new account begins that goes on here."""
        return _url("register", self._query)

    @property
    def recovery_url(self) -> str:
        """The page of whoever forgot their password and goes on here."""
        return _url("recover", self._query)

    @property
    def accounts_url(self) -> str:
        """The page on which to choose the account that goes on here."""
        return _url("accounts", self._query)

    @property
    def next_url(self) -> str:
        """Where to go once somebody is signed in.

        Where a link means an account, whose page that is: the overview looks whether they are the one.
        """
        kind, its_id = self.goes_on.kind, self.goes_on.id
        if kind is Kind.ACCOUNT and self.hint is not None:
            return _url(Target().url, self._query)
        if kind is Kind.GRANT:
            return _url("consent", self._query)
        if kind is Kind.APPROVAL:
            return _url("approve", self._query)
        if kind is Kind.DEVICE:
            return _url("device", {"grant": its_id or ""})
        if kind is Kind.LEGACY:
            return _url("legacy-login", {"login": its_id or ""})
        return Target.of_text(its_id).url if kind is Kind.ACCOUNT else "./"

    def chosen(self) -> "Onward":
        """Return it for whoever was asked which account goes on, or is the one that is meant."""
        return attrs.evolve(self, hint=None)

    @property
    def _query(self) -> dict[str, str]:
        kind, its_id = self.goes_on.kind, self.goes_on.id or ""
        if kind is Kind.ACCOUNT:
            hint = {"hint": self.hint} if self.hint else {}
            return {**Target.of_text(its_id).parameters, **hint}
        name = _NAMES.get(kind)
        return {name: its_id} if name else {}


def _is_account(goes_on: onward.Onward) -> bool:
    return goes_on.kind is Kind.ACCOUNT


def _hint(text: str | None) -> str | None:
    return text if text and len(text) <= _LONGEST_HINT else None


def _read(parameters: Parameters) -> onward.Onward:
    if (grant_id := parameters.get("grant")) is not None:
        return onward.Onward(Kind.GRANT, grant_id)
    for kind, name in _NAMES.items():
        its_id = parameters.get(name)
        if its_id is not None and _ID.fullmatch(its_id):
            return onward.Onward(kind, its_id)
    page = parameters.get("page")
    if page is not None:
        # Written anew from what was understood: so it is a page of ours, and an id.
        return onward.Onward(Kind.ACCOUNT, Target.read(page, parameters.get("id")).text)
    return onward.Onward()


def _url(page: str, query: dict[str, str]) -> str:
    return f"{page}?{urlencode(query)}" if query else page


def again(incoming: Incoming) -> str:
    """Return where somebody goes on whose form was out of date: the same page, or the one after."""
    page = incoming.path.rpartition("/")[2]
    if page in {"sign-in", "sign-out"}:
        parameters = forms.parse(incoming.query)
        if parameters.get("attempt") is None and parameters.get("account") is None:
            return Onward.of(parameters).next_url
    query = incoming.query.decode("ascii", "replace")
    return f"{page}?{query}" if query else page

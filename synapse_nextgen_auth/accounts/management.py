"""The pages about an account, and what a client may send people there for (CS API; MSC4191)."""

import enum
from urllib.parse import urlencode

from synapse_nextgen_auth.records import frozen


class Place(str, enum.Enum):
    """A page about the account that is signed in; the value is its path below the issuer."""

    OVERVIEW = "account"
    PROFILE = "account-profile"
    AVATAR = "account-avatar"
    EMAIL = "account-email"
    EMAIL_CODE = "account-email-code"
    PHONE = "account-phone"
    PHONE_CODE = "account-phone-code"
    REMOVE_ADDRESS = "account-address-remove"
    DEACTIVATE = "account-deactivate"
    SIGN_IN = "account-sign-in"
    PASSWORD = "account-password"  # noqa: S105 (a path)
    REMOVE_PASSWORD = "account-password-remove"  # noqa: S105 (a path)
    CONNECT = "account-provider-connect"
    DISCONNECT = "account-provider-disconnect"
    ADD_PASSKEY = "account-passkey-add"
    PASSKEY = "account-passkey"
    REMOVE_PASSKEY = "account-passkey-remove"
    FACTORS = "account-factors"
    ADD_FACTOR = "account-factor-add"
    FACTOR = "account-factor"
    REMOVE_FACTOR = "account-factor-remove"
    FACTOR_MAIL = "account-factor-mail"
    RECOVERY_CODES = "account-recovery-codes"
    LOST_FACTORS = "account-factor-lost"
    RESET_IDENTITY = "account-identity-reset"
    DEVICES = "account-devices"
    DEVICE = "account-device"
    END_DEVICE = "account-device-end"
    END_SEVERAL = "account-devices-end"
    APPS = "account-apps"
    APP = "account-app"
    END_APP = "account-app-end"
    TOKENS = "account-tokens"
    ADD_TOKEN = "account-token-add"  # noqa: S105 (a path)
    END_TOKEN = "account-token-end"  # noqa: S105 (a path)
    INVITATIONS = "account-invitations"
    EVENTS = "account-events"
    DATA = "account-data"

    @property
    def section(self) -> "Place":
        """The place of the navigation that it belongs to."""
        return _BELOW.get(self, self)


# What the navigation shows, in this order; every other page belongs to one of these.
SECTIONS = (
    Place.OVERVIEW,
    Place.PROFILE,
    Place.SIGN_IN,
    Place.DEVICES,
    Place.APPS,
    Place.TOKENS,
    Place.INVITATIONS,
    Place.EVENTS,
    Place.DATA,
)
_BELOW = {
    Place.AVATAR: Place.PROFILE,
    Place.EMAIL: Place.PROFILE,
    Place.EMAIL_CODE: Place.PROFILE,
    Place.PHONE: Place.PROFILE,
    Place.PHONE_CODE: Place.PROFILE,
    Place.REMOVE_ADDRESS: Place.PROFILE,
    Place.DEACTIVATE: Place.DATA,
    Place.PASSWORD: Place.SIGN_IN,
    Place.REMOVE_PASSWORD: Place.SIGN_IN,
    Place.CONNECT: Place.SIGN_IN,
    Place.DISCONNECT: Place.SIGN_IN,
    Place.ADD_PASSKEY: Place.SIGN_IN,
    Place.PASSKEY: Place.SIGN_IN,
    Place.REMOVE_PASSKEY: Place.SIGN_IN,
    Place.FACTORS: Place.SIGN_IN,
    Place.ADD_FACTOR: Place.SIGN_IN,
    Place.FACTOR: Place.SIGN_IN,
    Place.REMOVE_FACTOR: Place.SIGN_IN,
    Place.FACTOR_MAIL: Place.SIGN_IN,
    Place.RECOVERY_CODES: Place.SIGN_IN,
    Place.LOST_FACTORS: Place.SIGN_IN,
    Place.RESET_IDENTITY: Place.SIGN_IN,
    Place.DEVICE: Place.DEVICES,
    Place.END_DEVICE: Place.DEVICES,
    Place.END_SEVERAL: Place.DEVICES,
    Place.APP: Place.APPS,
    Place.END_APP: Place.APPS,
    Place.ADD_TOKEN: Place.TOKENS,
    Place.END_TOKEN: Place.TOKENS,
}
_PLACES = {place.value: place for place in Place}
# Device ids are the longest ones: clients choose them.
_MAX_ID = 512


@frozen
class Target:
    """A page about the account, and the one thing that it is about, by an id of ours (C194).

    Whoever comes back from a sign-in comes back to this. Whether the account has such a thing is for
    the page to find out: the id may be anybody's (C301).
    """

    place: Place = Place.OVERVIEW
    id: str | None = None

    @classmethod
    def read(cls, place: str | None, its_id: str | None) -> "Target":
        """Read it from a link; what we do not know is the overview."""
        known = _PLACES.get(place or "")
        if known is None:
            return cls()
        return cls(known, its_id if its_id and len(its_id) <= _MAX_ID else None)

    @classmethod
    def of_text(cls, text: str | None) -> "Target":
        """Read what an attempt keeps; one of an earlier release leads to the overview."""
        place, _, its_id = (text or "").partition(" ")
        return cls.read(place, its_id or None)

    @property
    def text(self) -> str:
        """What an attempt keeps of it."""
        return self.place.value if self.id is None else f"{self.place.value} {self.id}"

    @property
    def url(self) -> str:
        """The page, relative to the issuer."""
        if self.id is None:
            return self.place.value
        return f"{self.place.value}?{urlencode({'id': self.id})}"

    @property
    def parameters(self) -> dict[str, str]:
        """How the address of another page of ours says that somebody goes on there."""
        its_id = {} if self.id is None else {"id": self.id}
        return {"page": self.place.value, **its_id}


class Done(str, enum.Enum):
    """What a page says was just done; the value stands in the address, beside a proof."""

    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (what was done)
    PASSWORD_CHANGED_AND_SIGNED_OUT = "password_changed_and_signed_out"  # noqa: S105 (what was done)
    PASSWORD_REMOVED = "password_removed"  # noqa: S105 (what was done)
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    FACTOR_ADDED = "factor_added"
    FACTOR_RENAMED = "factor_renamed"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_MAIL_ON = "factor_mail_on"
    FACTOR_MAIL_OFF = "factor_mail_off"
    BROWSER_FORGOTTEN = "browser_forgotten"
    LOSS_STOPPED = "loss_stopped"
    NAME_CHANGED = "name_changed"
    PICTURE_REMOVED = "picture_removed"
    PICTURE_CHANGED = "picture_changed"
    ADDRESS_ADDED = "address_added"
    PHONE_ADDED = "phone_added"
    ADDRESS_REMOVED = "address_removed"
    ADDRESS_STAYS_LISTED = "address_stays_listed"
    RENAMED = "renamed"
    APP_REVOKED = "app_revoked"
    TOKEN_ENDED = "token_ended"  # noqa: S105 (what was done)
    INVITED = "invited"
    INVITATION_WITHDRAWN = "invitation_withdrawn"


class Action(str, enum.Enum):
    """The actions that our pages know; the value is what clients put into the URL."""

    PROFILE = "org.matrix.profile"
    DEVICES_LIST = "org.matrix.devices_list"
    DEVICE_VIEW = "org.matrix.device_view"
    DEVICE_DELETE = "org.matrix.device_delete"
    ACCOUNT_DEACTIVATE = "org.matrix.account_deactivate"
    CROSS_SIGNING_RESET = "org.matrix.cross_signing_reset"


# Where each action leads, and whether that page is about one device.
_LEADS_TO: dict[Action, tuple[Place, bool]] = {
    Action.PROFILE: (Place.PROFILE, False),
    Action.ACCOUNT_DEACTIVATE: (Place.DEACTIVATE, False),
    Action.CROSS_SIGNING_RESET: (Place.RESET_IDENTITY, False),
    Action.DEVICES_LIST: (Place.DEVICES, False),
    Action.DEVICE_VIEW: (Place.DEVICE, True),
    Action.DEVICE_DELETE: (Place.END_DEVICE, True),
}
# What the same actions were called before the specification took them up.
_FORMER = {
    "sessions_list": Action.DEVICES_LIST,
    "session_view": Action.DEVICE_VIEW,
    "session_end": Action.DEVICE_DELETE,
}
_PREFIX = "org.matrix."
_ACTIONS = {
    f"{prefix}{name}": action
    for prefix in (_PREFIX, "")
    for name, action in (
        *((each.value.removeprefix(_PREFIX), each) for each in Action),
        *_FORMER.items(),
    )
}


def meant_by(action: str | None, device_id: str | None) -> Target:
    """Return the page that a client's link means (MSC4191).

    An action that we do not know leads to the overview, one that lacks its device to the list.
    """
    known = _ACTIONS.get(action or "")
    if known is None:
        return Target()
    place, is_of_device = _LEADS_TO[known]
    if not is_of_device:
        return Target(place)
    target = Target.read(place.value, device_id)
    return Target(place.section) if target.id is None else target

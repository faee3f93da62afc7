"""The ways in that are older than ours, `POST /login` of the CS API, and who may still go them."""

import enum

from synapse_nextgen_auth.records import frozen

# What somebody is told whose password, token or mailbox is right, and who comes in in the browser alone.
NEEDS_FACTOR = "This account signs in with a second factor, which this app cannot ask for."
IN_BROWSER = "This account signs in in the browser."


class Allowed(str, enum.Enum):
    """For whom an old way is open; the value is what the operator writes."""

    ALWAYS = "always"
    UNTIL_FIRST_SESSION = "until_first_session"
    NEVER = "never"


class Way(str, enum.Enum):
    """An old way in."""

    PASSWORD = "password"  # noqa: S105 - typed into an application, whatever checks it
    SSO = "sso"
    JWT = "jwt"


# The flows of `GET /login` that begin in a browser; `m.login.cas` is the older name of the same.
SSO_FLOWS = frozenset({"m.login.sso", "m.login.cas"})
_JWT = "org.matrix.login.jwt"
# What is no way in by itself: bridges, and the second half of another way.
_OTHERS = frozenset({"m.login.application_service", "m.login.token"})


def way_of(login_type: object) -> Way | None:
    """Return the way that a login type belongs to; a password provider's own types are passwords."""
    if not isinstance(login_type, str) or login_type in _OTHERS:
        return None
    if login_type in SSO_FLOWS:
        return Way.SSO
    return Way.JWT if login_type == _JWT else Way.PASSWORD


@frozen
class LegacyLoginRules:
    """Which old ways are open, and whether clients are told that ours is the better one.

    `through_us` says that single sign-on leads to our pages, also where Synapse knows no provider;
    `confirms_here`, that who came an old way confirms on our pages what is dangerous.
    `takes_tokens` says that a personal token does in the place of a password, `offers_tokens` that
    clients are told so where passwords are closed.
    """

    password: Allowed = Allowed.ALWAYS
    sso: Allowed = Allowed.ALWAYS
    jwt: Allowed = Allowed.ALWAYS
    prefer_oauth: bool = True
    through_us: bool = True
    confirms_here: bool = False
    takes_tokens: bool = False
    offers_tokens: bool = False

    def of(self, way: Way) -> Allowed:
        """Return for whom a way is open."""
        found: Allowed = getattr(self, way.value)
        return found

    def is_closed(self, login_type: object) -> bool:
        """Say whether nobody gets in this way, whoever it is."""
        way = way_of(login_type)
        return way is not None and self.of(way) is Allowed.NEVER

    def depends(self, login_type: object) -> bool:
        """Say whether it depends on the account."""
        way = way_of(login_type)
        return way is not None and self.of(way) is Allowed.UNTIL_FIRST_SESSION

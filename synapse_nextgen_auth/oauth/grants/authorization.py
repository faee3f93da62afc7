"""A grant: an authorization on its way from the request to the code (RFC 6749 section 4.1)."""

import enum

import attrs

from synapse_nextgen_auth.records import frozen


class ResponseMode(str, enum.Enum):
    """How the answer travels back to the client (OAuth 2.0 Multiple Response Type Encoding)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


class Prompt(str, enum.Enum):
    """What the client asks us to show (OpenID Connect Core section 3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"
    CREATE = "create"  # Initiating User Registration via OpenID Connect 1.0; MSC2964


@frozen
class Grant:
    """One row of grants; times in seconds since the epoch.

    `browser` is the digest of what binds it to the browser that began it: nobody else can go on.
    `login_after` is set when only a sign-in at or after that time counts. `user_id` is whoever
    approved it; before that the one person who may, absent where anybody may. `sign_in_id` is the
    sign-in of that browser which approved it, or was chosen for it before; `proven_at` is when its
    person proved for this very grant who they are. `amr`, `acr` and `level` (how many factors it was)
    say how they had done that; `acr_values`, space-separated, what the client asks of it, and
    `acr_strictness` how that is meant (`factors/levels.py`). `idp_hint` names the identity provider that
    the client would have people sign in with. `resource_scope` is what is asked for at services of
    others, in words of theirs.
    """

    grant_id: str
    browser: str
    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    response_mode: ResponseMode = attrs.field(converter=ResponseMode)
    nonce: str | None
    code_challenge: str | None
    prompt: str | None  # space-separated, as asked
    login_hint: str | None
    ui_locales: str | None
    login_after: int | None
    created_at: int
    expires_at: int
    user_id: str | None = None
    auth_time: int | None = None
    approved_at: int | None = None
    refused_at: int | None = None
    code_expires_at: int | None = None
    redeemed_at: int | None = None
    session_id: str | None = None
    sign_in_id: str | None = None
    proven_at: int | None = None
    amr: str | None = None
    acr: str | None = None
    idp_hint: str | None = None
    acr_values: str | None = None
    level: int | None = None
    acr_strictness: str | None = None
    resource_scope: str | None = None

    @property
    def asked(self) -> str:
        """All that is asked for, as one text."""
        return " ".join(filter(None, (self.scope, self.resource_scope)))

    @property
    def steps_up(self) -> bool:
        """Say whether the client wanted it proven anew, or by more."""
        return self.acr_values is not None or self.login_after is not None

    @property
    def approver(self) -> str:
        """The sign-in that approved it; one from before they had ids goes by its digest."""
        return self.sign_in_id or self.browser

    @property
    def asks_consent(self) -> bool:
        """Say whether the client wants the consent page shown whatever was agreed before."""
        return Prompt.CONSENT.value in (self.prompt or "").split()

    @property
    def asks_selection(self) -> bool:
        """Say whether the client wants its person to choose the account."""
        return Prompt.SELECT_ACCOUNT.value in (self.prompt or "").split()

    def is_open(self, now: int) -> bool:
        """Say whether a person may still decide about it."""
        return self.approved_at is None and self.refused_at is None and now < self.expires_at

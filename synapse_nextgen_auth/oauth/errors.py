"""What can go wrong in OAuth, as a value and as an exception (RFC 6749 sections 4.1.2.1 and 5.2).

The one type is both, because in a database transaction a raised error rolls back and a returned one
commits: a replayed code has to end a session *and* be refused, so that refusal is returned.
"""

import attrs

from synapse_nextgen_auth.records import frozen


@frozen
class OAuthError(Exception):
    """A refusal in the words of the protocol.

    The first three fields go to the client, `detail` goes to our log and nowhere else, `reason` is
    a word for the metrics where the code alone says too little.
    `description` is limited to the characters that RFC 6749 allows: ASCII without quote and backslash.
    """

    code: str
    description: str = ""
    status: int = 400
    detail: str = attrs.field(default="", kw_only=True)
    reason: str = attrs.field(default="", kw_only=True)

    def __str__(self) -> str:
        return f"{self.code}: {self.told}"

    @property
    def told(self) -> str:
        """What our log says of it."""
        return self.detail or self.description


def invalid_request(description: str, *, detail: str = "") -> OAuthError:
    """Say that a parameter is missing, repeated or malformed."""
    return OAuthError("invalid_request", description, detail=detail)


def invalid_client(detail: str) -> OAuthError:
    """Say that the client could not be authenticated; the same words for every cause (C091)."""
    return OAuthError("invalid_client", "Client authentication failed", 401, detail=detail)


def invalid_grant(detail: str, *, reason: str = "") -> OAuthError:
    """Say that a code or a refresh token is no good; the same words for every cause."""
    description = "The code or token is invalid, expired or revoked"
    return OAuthError("invalid_grant", description, detail=detail, reason=reason)


def invalid_scope(description: str, *, detail: str = "") -> OAuthError:
    """Say what is wrong with the requested scope."""
    return OAuthError("invalid_scope", description, detail=detail)


def unavailable(detail: str) -> OAuthError:
    """Say that we failed, not the client.

    A client takes any 4xx on refresh for a logout and forgets its keys (Client-Server API, refresh
    token grant), so a failure of ours is always a 503.
    """
    return OAuthError("temporarily_unavailable", "Try again in a moment", 503, detail=detail)


# Of an operator who is about to switch us off. No 503: whoever comes back in a moment is refused
# again, and Element Web goes on to `/login` after any error of a registration.
DRAINING = OAuthError(
    "access_denied", "This server takes no new sign-ins here", 403, reason="draining"
)

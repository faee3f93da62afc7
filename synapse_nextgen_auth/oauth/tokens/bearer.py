"""What a refusal says about the token that came, or did not (RFC 6750 section 3)."""

HEADER = "WWW-Authenticate"
INVALID_TOKEN = "invalid_token"  # noqa: S105 (an error, no password)
# What whoever sent it anywhere else, or not at all, is told.
IN_THE_HEADER = "Send the access token in the Authorization header."
INSUFFICIENT_SCOPE = "insufficient_scope"
INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
REFUSES = frozenset({INVALID_TOKEN, INSUFFICIENT_SCOPE})


def challenge(error: str | None = None, **more: str | None) -> str:
    """Return the value of `WWW-Authenticate`.

    Without an `error` no token came: then nothing is said about one. `more` says what is missing: a
    `scope`, or a proof (RFC 9470 section 3).
    """
    said = {"error": error, **more}
    attributes = ", ".join(f'{name}="{value}"' for name, value in said.items() if value)
    return f"Bearer {attributes}".strip()

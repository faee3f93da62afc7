"""The token of an application service: it has the shape of a session's, and stands for no session.

Half of its id says for which client and which application service it is, half is drawn for it alone.
So nothing has to be looked up, and one of them can be revoked.
"""

from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import digest

_HALF = 16  # hexadecimal digits


def tag(client_id: str, service_id: str) -> str:
    """Return what stands for a client and its application service; an id of ours has no space."""
    return digest(f"{client_id} {service_id}")[:_HALF]


def token_of(tag: str, *, drawn: str, expires_at: int) -> Token:
    """Return a new token; `drawn` is a random id."""
    return Token(Kind.SERVICE, tag + drawn[:_HALF], 0, expires_at)


def tag_of(token: Token) -> str:
    """Return for whom a token is."""
    return token.session_id[:_HALF]


def id_of(token: Token) -> str:
    """Return what is written down of a token that is revoked."""
    return token.session_id

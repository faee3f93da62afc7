"""What a presented refresh token means for its session (RFC 6749 section 6, docs/topics/tokens.md)."""

import enum

from synapse_nextgen_auth.oauth.errors import OAuthError, unavailable
from synapse_nextgen_auth.oauth.sessions import Session, SessionLifetimes

# What a refresh may be refused for: the session is over, or the request is wrong in itself.
_REFUSALS = frozenset(
    {
        *("invalid_grant", "invalid_request", "invalid_client", "invalid_scope"),
        *("unauthorized_client", "invalid_target"),
    }
)


class Verdict(enum.Enum):
    """What to do with a presented generation."""

    ROTATE = "rotate"  # the current one: make the next
    REPEAT = "repeat"  # the answer was lost: give the same pair again
    RESTORED = "restored"  # ahead of the database, which came from a backup: go on from there
    REUSE = "reuse"  # superseded long ago: somebody else has a copy


def judge(session: Session, presented: int, *, now: int, lifetimes: SessionLifetimes) -> Verdict:
    """Compare the presented generation with the stored one.

    A lost answer, a crash before saving, or two processes refreshing at once log nobody out: the
    previous token repeats the current pair while that is unused, and in any case for the grace. Where
    a clock ran ahead at the rotation, nobody knows how long that is ago: the caller lets the grace
    begin anew, so that it is over soon and nobody is signed out (C379).
    """
    if presented > session.generation:
        return Verdict.RESTORED
    if presented == session.generation:
        return Verdict.ROTATE
    if presented == session.generation - 1:
        unused = session.confirmed_generation < session.generation
        if unused or now <= session.rotated_at + lifetimes.grace:
            return Verdict.REPEAT
    return Verdict.REUSE


def as_heard(refusal: OAuthError) -> OAuthError:
    """Return what a client that refreshes may hear of this: any limit or failure of ours is a 503.

    Element Web 1.12.24 to 1.12.26 takes every 4xx for a logout and forgets its keys, a 429 too.
    """
    if refusal.code in _REFUSALS and refusal.status in {400, 401}:
        return refusal
    if refusal.status >= 500:
        return refusal
    return unavailable(f"not said to a client that refreshes: {refusal.status} {refusal}")

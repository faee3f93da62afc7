"""What a presented refresh token means for its session (RFC 6749 section 6, design.md section 4)."""

import enum

from synapse_nextgen_auth.oauth.sessions import Limits, Session


class Verdict(enum.Enum):
    """What to do with a presented generation."""

    ROTATE = "rotate"  # the current one: make the next
    REPEAT = "repeat"  # the answer was lost: give the same pair again
    RESTORED = "restored"  # ahead of the database, which came from a backup: go on from there
    REUSE = "reuse"  # superseded long ago: somebody else has a copy


def judge(session: Session, presented: int, *, now: int, limits: Limits) -> Verdict:
    """Compare the presented generation with the stored one.

    A lost answer, a crash before saving, or two processes refreshing at once log nobody out: the
    previous token repeats the current pair while that is unused, and in any case for the grace.
    """
    if presented > session.generation:
        return Verdict.RESTORED
    if presented == session.generation:
        return Verdict.ROTATE
    if presented == session.generation - 1:
        unused = session.confirmed_generation < session.generation
        if unused or now <= session.rotated_at + limits.grace:
            return Verdict.REPEAT
    return Verdict.REUSE

"""Many sessions at once, written straight into the database with their devices."""

import time
from contextlib import closing

import attrs
import psycopg2

from support.oauth import API, DEVICE, device_id
from support.tables import QuestionMarks
from support.tokens import KEYS
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import sessions


@attrs.frozen
class Member:
    """A session of the crowd with the pair of its present generation."""

    session: Session
    access_token: str
    refresh_token: str


def settle(homeserver, client_id, user_ids, *, also=""):
    """Give each of these accounts a session on a device of its own, as redeeming a code does.

    `also` is what its scope has after the whole API and the device.
    """
    members = [_member(user_id, client_id, also) for user_id in user_ids]
    with closing(psycopg2.connect(**homeserver.database.connection)) as connection, connection:
        txn = QuestionMarks(connection.cursor())
        for member in members:
            sessions.add(txn, member.session)
            txn.execute(
                "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, ?, ?)",
                (member.session.user_id, member.session.device_id, False),
            )
    return members


def _member(user_id, client_id, also):
    now, device, session_id = int(time.time()), device_id(), random_id()
    session = Session(
        session_id=session_id,
        user_id=user_id,
        device_id=device,
        client_id=client_id,
        scope=f"{API} {DEVICE}{device} {also}".strip(),
        generation=1,
        rotated_at=now,
        confirmed_generation=0,
        auth_time=now,
        created_at=now,
        last_active_at=now,
        address="127.0.0.1",
    )
    access = session_tokens.mint(KEYS, Token(Kind.ACCESS, session_id, 1, now + 300))
    refresh = session_tokens.mint(KEYS, Token(Kind.REFRESH, session_id, 1, 0))
    return Member(session, access.reveal(), refresh.reveal())

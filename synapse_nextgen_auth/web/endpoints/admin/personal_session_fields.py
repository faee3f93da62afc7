"""What the admin API tells of a personal token."""

from typing import Any

import attrs

from synapse_nextgen_auth.accounts.ulids import Kind
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.store import personal_tokens as rows
from synapse_nextgen_auth.store import ulids
from synapse_nextgen_auth.store.personal_tokens import Seen
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web.endpoints.admin import session_fields
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, thing
from synapse_nextgen_auth.web.endpoints.admin.operations import Field, Shape
from synapse_nextgen_auth.web.endpoints.admin.values import Text, Time, Ulid, time

PERSONAL_SESSION = Shape(
    "personal-session",
    "PersonalSession",
    (
        session_fields.CREATED_AT,
        attrs.evolve(session_fields.FINISHED_AT, name="revoked_at"),
        Field(
            "owner_user_id",
            Ulid(),
            "Who made it, and may let it have another value.",
            True,
            is_nullable=True,
        ),
        Field(
            "owner_client_id", Ulid(), "Always `null`: no client owns one.", True, is_nullable=True
        ),
        Field("actor_user_id", Ulid(), "The account that it speaks for.", True),
        Field("human_name", Text(), "What it is called.", True),
        Field("scope", Text(), "What it opens.", True),
        session_fields.LAST_ACTIVE_AT,
        session_fields.LAST_ACTIVE_IP,
        Field(
            "expires_at",
            Time(),
            "Until when it is good; `null` without an end, and of one that is over.",
            True,
            is_nullable=True,
        ),
        Field(
            "access_token",
            Text(),
            "The token itself, in the answer to whoever makes it and never again.",
            True,
            is_nullable=True,
        ),
    ),
    "A personal token.",
)


def look(txn: Txn, found: list[Session]) -> dict[str, dict[str, Any]]:
    """Return what is told of these beside what their sessions say, by their ids."""
    tokens = rows.by_sessions(txn, [each.session_id for each in found])
    own = ulids.name(
        txn, Kind.PERSONAL_SESSION, {each.session_id: each.created_at * 1000 for each in found}
    )
    people = {each.user_id for each in found} | {each.owner_id or each.user_id for each in found}
    users = ulids.name_users(txn, people)
    seen: dict[str, Seen] = {}
    for user_id in sorted({each.user_id for each in found}):
        marks = [surrogate(each.session_id) for each in found if each.user_id == user_id]
        seen |= rows.last_seen(txn, user_id, marks)
    known: dict[str, dict[str, Any]] = {}
    for each in found:
        last, token = seen.get(surrogate(each.session_id)), tokens.get(each.session_id)
        known[each.session_id] = {
            "id": own[each.session_id],
            "owner_user_id": users.get(each.owner_id or each.user_id),
            "actor_user_id": users.get(each.user_id, own[each.session_id]),
            "human_name": token.name if token else "",
            "last_active_ip": last.address if last else None,
        }
    return known


def told(
    call: Call, session: Session, known: dict[str, dict[str, Any]], token: Secret | None = None
) -> dict[str, Any]:
    """Return it as answers have it; `known` is what `look` found, `token` its value where it is new."""
    said = dict(known[session.session_id])
    ulid = said.pop("id")
    over_at = session_fields.finished_at(session, call.site)
    return thing(
        PERSONAL_SESSION,
        ulid,
        said
        | {
            "created_at": time(session.created_at),
            "revoked_at": time(over_at),
            "owner_client_id": None,
            "scope": session.scope,
            "last_active_at": time(session_fields.used_at(session)),
            "expires_at": time(session.expires_at) if over_at is None else None,
            "access_token": token.reveal() if token else None,
        },
    )

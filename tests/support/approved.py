"""What somebody approved in the browser, and nobody fetched yet."""

from typing import Any

from support.records import ADDRESS, NOW, a_device_grant, a_grant, a_sign_in
from synapse_nextgen_auth.accounts.approvals import Approval, Operation, Request
from synapse_nextgen_auth.oauth.grants.device_grants import Poll
from synapse_nextgen_auth.store import approvals, device_grants, grants, sign_ins
from synapse_nextgen_auth.store.device_grants import Codes

# A client, a device, a client of the old kind, and something dangerous.
EVERYTHING = {"code", "device", "login token", "request"}


def approve(tables: Any, user_id: str) -> None:
    """Let somebody approve one of each, in a sign-in of its own."""
    by = a_sign_in(user_id, user_id=user_id)
    tables.run(sign_ins.add, by)
    tables.run(grants.add, a_grant(grant_id=user_id))
    tables.run(
        grants.approve,
        user_id,
        by=by,
        acr="a",
        proven_at=NOW,
        code_digest=f"code {user_id}",
        code_expires_at=NOW + 60,
        expires_at=NOW + 600,
        now=NOW,
    )
    codes = Codes(f"device {user_id}", f"user {user_id}", f"half {user_id}")
    assert tables.run(device_grants.add, a_device_grant(grant_id=user_id), codes)
    assert tables.run(device_grants.approve, user_id, by=by, acr="a", now=NOW)
    with tables.begin() as txn:
        txn.execute(
            "INSERT INTO login_tokens (token, user_id, expiry_ts) VALUES (?, ?, ?)",
            (f"token {user_id}", user_id, (NOW + 60) * 1000),
        )
    # Of a legacy session, which goes by its account.
    request = Request(user_id, user_id, "PHONE", Operation.DEACTIVATE, "POST", "/path", "digest")
    asked = {"ui_session": user_id, "details": "x", "address": ADDRESS, "now": NOW}
    tables.run(approvals.add, Approval.asked(user_id, request, **asked))
    assert tables.run(approvals.approve, user_id, by=by.name, now=NOW)


def waits(tables: Any, user_id: str) -> set[str]:
    """Return what of it would still let something in."""
    code = tables.run(grants.find_by_code, f"code {user_id}")
    device = tables.run(device_grants.get, user_id)
    request = tables.run(approvals.get, user_id)
    [(spent,)] = tables.query("SELECT used_ts FROM login_tokens WHERE user_id = ?", user_id)
    good = {
        "code": code is not None and code.refused_at is None and code.code_expires_at > NOW,
        "device": device.poll(NOW) is Poll.APPROVED,
        "login token": spent is None,
        "request": request.approved_at is not None and request.used_at is None,
    }
    return {name for name, is_good in good.items() if is_good}

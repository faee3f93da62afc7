"""Names that operators plot, or that stand in the database, are those they always were."""

from pathlib import Path

import synapse_nextgen_auth
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.limits import Limited

PACKAGE = Path(synapse_nextgen_auth.__file__).parent


def test_work_beside_requests_is_counted_under_the_names_it_always_had():
    """The label of `synapse_background_process_*`; a new kind is one more line here."""
    assert {kind.name: kind.value for kind in Background} == {
        "ACTIVITY": "nextgen_activity",
        "ADMIN_USED": "nextgen_admin_used",
        "DEVICE_REMOVED_LATER": "nextgen_device_removed_later",
        "DEVICE_UNMADE": "nextgen_device_unmade",
        "FAILED_SIGN_INS": "nextgen_failed_sign_ins",
        "FAREWELLS": "nextgen_farewells",
        "HASHES": "nextgen_hashes",
        "HOUSEKEEPING": "nextgen_housekeeping",
        "LAST_CHORES": "nextgen_last_chores",
        "LATER_STEPS": "nextgen_later_steps",
        "LISTENERS": "nextgen_listeners",
        "LOGIN_CALLBACK": "nextgen_login_callback",
        "LOOKUPS": "nextgen_lookups",
        "OUTBOX": "nextgen_outbox",
        "OWN_CONNECTION": "nextgen_own_connection",
        "REVOCATIONS": "nextgen_revocations",
        "STRAYS": "nextgen_strays",
        "TOKEN_HOLDS": "nextgen_token_holds",
        "VERIFIED": "nextgen_verified",
    }


def test_no_work_goes_on_under_any_other_name():
    """One file begins it."""
    begun_in = {
        file.name
        for file in PACKAGE.rglob("*.py")
        if "run_as_background_process" in file.read_text("utf-8")
    }

    assert begun_in == {"background.py"}


def test_limits_are_counted_under_the_names_they_always_had():
    """Processes of two releases count together during an upgrade."""
    assert {limited.name: limited.value for limited in Limited} == {
        "ATTEMPT": "nextgen_attempt",
        "AUTHORIZATION": "nextgen_authorization",
        "CLIENT_REGISTRATION": "nextgen_client_registration",
        "DEVICE_AUTHORIZATION": "nextgen_device_authorization",
        "EMAIL_CODE": "nextgen_email_code",
        "EMAIL_CODE_ADDRESS": "nextgen_email_code_address",
        "FACTOR_CODE": "nextgen_factor_code",
        "FACTOR_CODE_SHARE": "nextgen_factor_code_share",
        "FACTOR_CODE_ADDRESS": "nextgen_factor_code_address",
        "EMAIL_CODE_SHARE": "nextgen_email_code_share",
        "PASSKEY": "nextgen_passkey",
        "RECOVERY": "nextgen_recovery",
        "RECOVERY_MAILBOX": "nextgen_recovery_mailbox",
        "RECOVERY_SHARE": "nextgen_recovery_share",
        "RENDEZVOUS": "nextgen_rendezvous",
        "SIGN_UP_ADDRESS": "nextgen_sign_up_address",
        "SIGN_UP_MESSAGE": "nextgen_sign_up_message",
        "SIGN_UP_SHARE": "nextgen_sign_up_share",
    }

"""The methods of Synapse whose answers we look up ourselves, and put into its caches as theirs."""

import inspect
import logging
from collections.abc import Mapping

from synapse.storage.databases.main import DataStore

from synapse_nextgen_auth.homeserver.startup.code_words import words

logger = logging.getLogger(__name__)


# What the methods speak of whose answers we put into Synapse's caches. Of a Synapse that reads or keeps
# something else, its own method is asked.
OF_ACCOUNTS = {
    "get_user_by_id": frozenset(
        {
            *("AS", "COALESCE", "FALSE", "FROM", "LoggingTransaction", "SELECT", "TRUE"),
            *("UserID", "UserInfo", "WHERE", "admin", "approved", "appservice_id", "bool"),
            *("consent_server_notice_sent", "consent_ts", "consent_version", "creation_ts"),
            *("db_pool", "deactivated", "desc", "execute", "fetchone", "from_string", "func"),
            *("get_user_by_id", "is_admin", "is_deactivated", "is_guest", "is_shadow_banned"),
            *("locked", "name", "return", "runInteraction", "shadow_banned", "suspended"),
            *("txn", "user_id", "user_type", "users"),
        }
    ),
    "get_user_locked_status": frozenset(
        {
            *("bool", "db_pool", "desc", "get_user_locked_status", "keyvalues", "locked"),
            *("name", "retcol", "simple_select_one_onecol", "table", "users"),
        }
    ),
}
OF_DEVICES = {
    "get_device": frozenset(
        {
            *("allow_none", "db_pool", "desc", "device_id", "devices", "display_name"),
            *("get_device", "hidden", "keyvalues", "retcols", "simple_select_one", "table"),
            *("user_id",),
        }
    ),
}


def are_known(methods: Mapping[str, frozenset[str]]) -> bool:
    """Say whether Synapse's methods do what we know; the log says which of them does not."""
    unknown = {
        name: words(inspect.getattr_static(DataStore, name).orig) ^ known
        for name, known in methods.items()
    }
    for name, different in unknown.items():
        if different:
            logger.warning(
                "This Synapse does something in %s that is not known here (%s): each is looked up alone",
                name,
                ", ".join(sorted(different)),
            )
    return not any(unknown.values())

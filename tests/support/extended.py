"""A homeserver with the modules of others from `support.extenders`, after ours."""

from support.providers import servers
from support.synapse import sqlite_homeserver


def extended_homeserver(directory, **attributes):
    """Return one that is not started yet; the first of its modules is that of the documentation."""
    config = {**attributes.pop("config", {}), "modules": [{"module": "support.extenders.Module"}]}
    homeserver = sqlite_homeserver(directory, config=config, **attributes)
    servers.lend_support(directory)
    return homeserver

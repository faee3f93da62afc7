"""A Synapse module for tests: what waits for a minute, or for seconds, waits for a moment only."""

from synapse_nextgen_auth.homeserver.database import schema
from synapse_nextgen_auth.homeserver.people import module_checks


class Module:
    """Synapse reads the options of every module before it starts the first one."""

    def __init__(self, config, api):
        pass

    @staticmethod
    def parse_config(config):
        schema.WORKER_PATIENCE = 3
        module_checks._PATIENCE = 3

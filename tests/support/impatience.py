"""A Synapse module for tests: workers wait for the tables for a moment only, not for a minute."""

from synapse_nextgen_auth.homeserver.database import schema


class Module:
    """Synapse reads the options of every module before it starts the first one."""

    def __init__(self, config, api):
        pass

    @staticmethod
    def parse_config(config):
        schema.WORKER_PATIENCE = 3

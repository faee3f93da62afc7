"""A module of others that says who needs a second factor."""

from synapse_nextgen_auth import extensions
from synapse_nextgen_auth.extensions import FactorRule, SecondFactor

GUARD, BROKEN = "guard", "broken"


class Ruler:
    """Whoever is called a guard needs one; of the broken nobody knows."""

    def __init__(self, config, api):
        rule = FactorRule(name="org.example.guards", of=self.of)
        extensions.of(api).add_factor_rule(rule)

    @staticmethod
    def parse_config(config):
        return config

    async def of(self, user_id):
        if BROKEN in user_id:
            raise RuntimeError("nobody knows")
        return SecondFactor.REQUIRED if GUARD in user_id else SecondFactor.OFF

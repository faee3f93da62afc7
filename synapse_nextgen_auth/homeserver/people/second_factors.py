"""Who needs a second factor on this homeserver, and whether somebody who proved one thing lacks it."""

from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level, Rule
from synapse_nextgen_auth.accounts.factors.policy import FactorPolicy
from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.flows import factor_demands
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.extensions import OtherModules
from synapse_nextgen_auth.store import factor_owed, factors


class SecondFactors:
    """What is demanded of the accounts of this homeserver."""

    def __init__(
        self, homeserver: Homeserver, policy: FactorPolicy, other_modules: OtherModules
    ) -> None:
        self._homeserver = homeserver
        self._policy = policy
        self._other_modules = other_modules

    @property
    def is_on(self) -> bool:
        """Whether anybody here may have a second factor; asked each time, as modules may come later."""
        return self._policy.is_on or self._other_modules.have_factor_rules

    async def rule_of(self, user_id: str) -> Rule:
        """Return the rule for an account; raises `NoAnswer` where another module cannot say."""
        return await self._rule_of(user_id, is_admin=await self._is_admin(user_id))

    async def _rule_of(self, user_id: str, *, is_admin: bool) -> Rule:
        said = await self._other_modules.factor_rules(user_id)
        others = [Rule(each.value) for each in said]
        return self._policy.rule_of(user_id, is_admin=is_admin, others=others)

    async def demand(self, user_id: str) -> Demand:
        """Return what is demanded of an account now; the time that it is given begins with the first.

        Raises `NoAnswer`.
        """
        if not self.is_on:
            return demands.NONE
        is_admin = await self._is_admin(user_id)
        rule, since = await self._rule_of(user_id, is_admin=is_admin), None
        now = self._homeserver.now()
        if rule is Rule.REQUIRED and self._policy.grace_of(is_admin=is_admin):
            since = await self._homeserver.read(factor_owed.since, user_id)
            if since is None or is_ahead(since, now):
                since = await self._homeserver.run(factor_demands.owe, user_id, now=now)
        return self._policy.demand(rule, since=since, now=now, is_admin=is_admin)

    async def may_add(self, user_id: str) -> bool:
        """Say whether an account may set factors up; raises `NoAnswer`."""
        return self.is_on and await self.rule_of(user_id) is not Rule.OFF

    async def lacks(self, user_id: str) -> bool:
        """Say whether who proved one thing of this account may not go on with that (C293).

        Raises `NoAnswer`.
        """
        demand = await self.demand(user_id)
        if demand.rule is Rule.OFF:
            return False
        held = await self._homeserver.read(factors.held, user_id)
        return not demands.suffices(demand, held, Level.ONE)

    async def _is_admin(self, user_id: str) -> bool:
        if not self._policy.tells_admins_apart:
            return False  # it would change nothing
        return await self.administers(user_id)

    async def administers(self, user_id: str) -> bool:
        """Say whether an account may administer this server."""
        user = await self._homeserver.user(user_id)
        return user is not None and user.is_admin

"""Modules of others that use `synapse_nextgen_auth.extensions`, and the one of the documentation."""

import json

from synapse.http.server import DirectServeJsonResource

from support.markdown import DOCS, blocks
from synapse_nextgen_auth import extensions
from synapse_nextgen_auth.extensions import (
    Card,
    Done,
    Question,
    Refused,
    Stage,
    TryAgain,
)

PATH = "/_synapse/client/extenders"
PAGE = DOCS / "topics" / "extensions.md"
HUMAN, BROKEN, SLOW, STAYS = "human", "broken", "slow", "stays"


def of_the_page():
    """Return the class in the example, word for word."""
    found = {}
    source = next(each for each in blocks(PAGE, "python") if "class TermsOfUse" in each)
    exec(compile(source, str(PAGE), "exec"), found)
    return found["TermsOfUse"]


class Module:
    """What Synapse loads: the terms of the page, a human who is asked, and what goes wrong.

    `human` is asked about accounts whose name has it in it; so `broken` and `slow`. An account with
    `stays` in its name may not be closed.
    """

    def __init__(self, config, api):
        self.terms = of_the_page()(config, api)
        self.said = {}
        self.waiting = []
        self.hs = api._hs
        self.closing = []
        self.asked = []
        api.register_third_party_rules_callbacks(check_can_deactivate_user=self.may_close)
        theirs = extensions.of(api)
        theirs.add_stage(Stage(name="human", needs=self.needs, page=self.page, answer=self.answer))
        theirs.add_card(Card(name="broken", show=self.broken))
        theirs.add_listener(self.broken)
        api.register_web_resource(PATH, _Door(self))

    @staticmethod
    def parse_config(config):
        return config

    async def broken(self, _):
        raise RuntimeError("on purpose")

    async def may_close(self, user_id, by_admin):
        self.closing.append(user_id)
        return STAYS not in user_id

    async def needs(self, person):
        self.asked.append((person.user_id, person.purpose.value))
        if BROKEN in person.user_id and self.said.get(person.user_id) is None:
            raise RuntimeError("on purpose")
        return HUMAN in person.user_id

    async def page(self, person):
        if person.attempt not in self.waiting:
            self.waiting.append(person.attempt)
        return Question(title="Somebody looks at it <b>first</b>", button="Look again")

    async def answer(self, person, values):
        said = self.said.get(person.attempt)
        if said == "yes":
            return Done()
        return Refused("Somebody said <no>.") if said == "no" else TryAgain("Nobody answered yet.")


class _Door(DirectServeJsonResource):
    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, module):
        super().__init__(clock=module.hs.get_clock())
        self._module = module

    async def _async_render_POST(self, request):  # noqa: N802
        self._module.said.update(json.loads(request.content.read()))
        return 200, {
            "waiting": self._module.waiting,
            "heard": self._module.terms.heard,
            "closing": self._module.closing,
            "asked": self._module.asked,
        }

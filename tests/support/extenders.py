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
HUMAN, BROKEN, STAYS = "human", "broken", "stays"


def of_the_page():
    """Return the class in the example, word for word."""
    found = {}
    source = next(each for each in blocks(PAGE, "python") if "class TermsOfUse" in each)
    exec(compile(source, str(PAGE), "exec"), found)
    return found["TermsOfUse"]


class Human:
    """A human who is asked about accounts whose name has `human` in it."""

    def __init__(self, config, api):
        self.said = {}
        self.waiting = []
        self.answered = []
        self.asked = []
        self.hs = api._hs
        self.theirs = extensions.of(api)
        self.theirs.add_stage(
            Stage(name="human", needs=self.needs, page=self.page, answer=self.answer)
        )
        api.register_web_resource(PATH, _Door(self))

    @staticmethod
    def parse_config(config):
        return config

    async def needs(self, person):
        self.asked.append((person.user_id, person.purpose.value))
        return HUMAN in person.user_id

    async def page(self, person):
        if person.attempt not in self.waiting:
            self.waiting.append(person.attempt)
        return Question(title="Somebody looks at it <b>first</b>", button="Look again")

    async def answer(self, person, values):
        self.answered.append(person.attempt)
        said = self.said.get(person.attempt)
        if said == "yes":
            return Done()
        return Refused("Somebody said <no>.") if said == "no" else TryAgain("Nobody answered yet.")

    def tell(self):
        """Return what the tests are told."""
        return {"waiting": self.waiting, "asked": self.asked}


class Module(Human):
    """What Synapse loads: the terms of the page, a human who is asked, and what goes wrong.

    Besides, what is asked of `broken` accounts fails. An account with `stays` in its name may not be
    closed.
    """

    def __init__(self, config, api):
        self.terms = of_the_page()(config, api)
        super().__init__(config, api)
        self.closing = []
        api.register_third_party_rules_callbacks(check_can_deactivate_user=self.may_close)
        self.theirs.add_card(Card(name="broken", show=self.broken))
        self.theirs.add_listener(self.broken)

    async def broken(self, _):
        raise RuntimeError("on purpose")

    async def may_close(self, user_id, by_admin):
        self.closing.append(user_id)
        return STAYS not in user_id

    async def needs(self, person):
        if BROKEN in person.user_id and self.said.get(person.user_id) is None:
            raise RuntimeError("on purpose")
        return await super().needs(person)

    def tell(self):
        return super().tell() | {
            "heard": self.terms.heard,
            "closing": self.closing,
            "answered": self.answered,
        }


class _Door(DirectServeJsonResource):
    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, module):
        super().__init__(clock=module.hs.get_clock())
        self._module = module

    async def _async_render_POST(self, request):  # noqa: N802
        self._module.said.update(json.loads(request.content.read()))
        return 200, self._module.tell()

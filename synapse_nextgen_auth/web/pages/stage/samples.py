"""Samples of the page that asks something for another module."""

import attrs

from synapse_nextgen_auth.extensions import Field, Link, Question
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG, LONG_ID
from synapse_nextgen_auth.web.pages.stage.page import StagePage, StageRefusedPage, of

QUESTION = Question(
    title="The rules of this place",
    paragraphs=("They changed in November.", "Please read them before you go on."),
    links=(Link("Read the rules", "https://example.org/rules"),),
    fields=(
        Field(name="accept", label="I have read and accept them", is_tick=True),
        Field(name="name", label="Your name", hint="As on your badge", is_required=False),
    ),
    button="Accept",
    cancel="Not now",
)
STAGE = StagePage(
    csrf="1.x",
    action="stage?attempt=x",
    server_name="example.org",
    user_id="@alice:example.org",
    stage="org.example.rules",
    **of(QUESTION, {}),
)
REFUSED = StageRefusedPage(
    server_name="example.org", words="Somebody said no.", other_account_url="accounts"
)

SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    StagePage: {
        "plain": STAGE,
        "bare": attrs.evolve(STAGE, **of(Question(title="Wait a moment"), {})),
        "wrong": attrs.evolve(
            STAGE, words="That is not it.", **of(QUESTION, {"accept": "yes", "name": "Al"})
        ),
        "incomplete": attrs.evolve(STAGE, is_incomplete=True),
        "long": attrs.evolve(
            STAGE,
            server_name=LONG,
            user_id=LONG_ID,
            words=LONG,
            title=LONG,
            paragraphs=(LONG,),
            go_on_words=LONG,
            asked=of(QUESTION, {"name": f'"><script>{LONG}'})["asked"],
        ),
    },
    StageRefusedPage: {
        "plain": REFUSED,
        "long": attrs.evolve(REFUSED, words=LONG, server_name=LONG),
    },
}

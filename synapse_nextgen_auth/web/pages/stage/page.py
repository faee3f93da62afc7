"""What the page says that asks something for another module, and the one that says no."""

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from synapse_nextgen_auth.extensions import Question
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent

# How the metrics and the log call it.
REFUSED = "refused_by_module"


@frozen
class Outward:
    """A link of another module; the URL is https."""

    words: str
    url: str


@frozen(kw_only=True)
class Shown:
    """A field of another module, with what stands in it; a tick has something there or nothing."""

    name: str
    label: str
    hint: str = ""
    value: str = ""
    is_tick: bool = False
    is_required: bool = True


@frozen(kw_only=True)
class StagePage(PageContent):
    """Ask what another module wants to know; its words are text, whatever stands in them.

    `words` is what was wrong with the answer. `stage` says which one it is, to the form.
    `is_incomplete` where something is missing that has to be there.
    """

    template: ClassVar[str] = "pages/stage.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    user_id: str
    stage: str
    title: str
    paragraphs: tuple[str, ...] = ()
    links: tuple[Outward, ...] = ()
    asked: tuple[Shown, ...] = ()
    go_on_words: str = ""
    cancel_words: str = ""
    words: str | None = None
    is_incomplete: bool = False


def of(question: Question, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of the page that say what another module asks, and what was typed so far."""
    asked = (
        Shown(**{**attrs.asdict(each), "value": typed.get(each.name, "")})
        for each in question.fields
    )
    return {
        "title": question.title,
        "paragraphs": question.paragraphs,
        "links": tuple(Outward(each.words, each.url) for each in question.links),
        "asked": tuple(asked),
        "go_on_words": question.button,
        "cancel_words": question.cancel,
    }


@frozen(kw_only=True)
class StageRefusedPage(PageContent):
    """Say that nobody is signed in, in the words of the other module. The URL is relative."""

    template: ClassVar[str] = "pages/stage_refused.html"

    server_name: str
    words: str
    other_account_url: str

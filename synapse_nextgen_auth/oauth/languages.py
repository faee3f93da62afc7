"""Language tags: which ones are well-formed (RFC 5646) and which one suits a reader (RFC 4647)."""

import re
from collections.abc import Iterable, Sequence

import attrs

from synapse_nextgen_auth.records import frozen

# The length that RFC 5646 section 4.4.1 finds enough for every tag; it also bounds our work.
_MAX_LENGTH = 35
_FIRST = re.compile(r"[A-Za-z]{1,8}")
_LATER = re.compile(r"[A-Za-z0-9]{1,8}")

# What a reader of the one also reads, and what nobody writes otherwise (CLDR: likely subtags, language
# aliases, and the parents of its locales).
_AS_WELL = {
    "in": "id",
    "iw": "he",
    "nn": "nb",
    "no": "nb",
    "pt": "pt-br",
    "zh": "zh-hans",
    **dict.fromkeys(("zh-hk", "zh-mo", "zh-tw", "yue"), "zh-hant"),
}


@attrs.frozen(order=True)
class Localized:
    """One value of a field for readers of one language, `client_name#fr` (RFC 7591 section 2.2)."""

    field: str
    language: str
    value: str


@frozen
class Wording:
    """A sentence for people: in the languages that the operator wrote it in, or in one for all."""

    by_language: tuple[tuple[str, str], ...]

    def for_(self, wanted: Sequence[str]) -> str:
        """Return it for a reader of these languages, or as it was written first."""
        return self.chosen(wanted)[1]

    def chosen(self, wanted: Sequence[str]) -> tuple[str, str]:
        """Return it with the tag of its language, which is empty where it is for all."""
        texts = dict(self.by_language)
        tag = lookup(filter(None, texts), wanted) or next(iter(texts))
        return tag, texts[tag]


def is_tag(text: str) -> bool:
    """Say whether this is a well-formed language tag; the subtags may be unknown to us."""
    if len(text) > _MAX_LENGTH:
        return False
    first, *later = text.split("-")
    return bool(_FIRST.fullmatch(first)) and all(map(_LATER.fullmatch, later))


def lookup(available: Iterable[str], wanted: Sequence[str]) -> str | None:
    """Return the available tag for the first wanted language that has one (RFC 4647 section 3.4).

    de-CH-1996 is also served by de-CH and by de; de is not served by de-CH. Somebody in Taiwan says
    `zh-TW` and reads zh-Hant: a tag may stand for another one, too.
    """
    by_name = {tag.lower(): tag for tag in available}
    for language in filter(is_tag, wanted):
        for name in _shortened(language.lower()):
            if name in by_name:
                return by_name[name]
    return None


def _shortened(tag: str) -> Iterable[str]:
    subtags = tag.split("-")
    while subtags:
        name = "-".join(subtags)
        yield name
        if name in _AS_WELL:
            yield _AS_WELL[name]
        subtags.pop()
        # A single letter only introduces what stood behind it.
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()

"""Options about second factors: which accounts a rule is for, and which sign-ins are two factors."""

import re
from collections.abc import Iterable, Mapping

from synapse_nextgen_auth.accounts.factors.demands import Rule, Strong
from synapse_nextgen_auth.accounts.factors.policy import Entry
from synapse_nextgen_auth.config.kinds.lists import ListOf
from synapse_nextgen_auth.config.kinds.words import Choice, Text
from synapse_nextgen_auth.config.problems import Problems, join, kind_of, shown
from synapse_nextgen_auth.records import frozen

_USERS, _MATCHING, _RULE = "users", "matching", "rule"
_FIELDS = [_USERS, _MATCHING, _RULE]
# As Synapse has them: whoever was made long ago may have other letters in the name.
_NAME = re.compile(r"@?[^\s@:]{1,254}(:[^\s@]{1,254})?")


@frozen
class AccountRule:
    """A rule for accounts that are listed, or that match a regular expression."""

    @property
    def takes(self) -> str:
        """The fields of one."""
        return f"`{_RULE}`, with `{_USERS}` or `{_MATCHING}`"

    def read(self, raw: object, path: str, problems: Problems) -> Entry | None:
        """Return the rule; all that is wrong with it is told."""
        if not isinstance(raw, Mapping):
            problems.say(path, f"expected {', '.join(_FIELDS)}, got {kind_of(raw)}")
            return None
        before = len(problems.found)
        problems.say_unknown(path, raw, _FIELDS)
        rule = _rule(raw.get(_RULE), join(path, _RULE), problems)
        names = _names(raw.get(_USERS), join(path, _USERS), problems)
        matching = _pattern(raw.get(_MATCHING), join(path, _MATCHING), problems)
        if len(problems.found) > before or rule is None:
            return None
        if not names and matching is None:
            problems.say(path, f"is about nobody: name {_USERS}, or say {_MATCHING}")
            return None
        return Entry(rule, names, matching)

    def show(self, value: Entry, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return whom it is for, and what holds for them."""
        return f"{' and '.join(_whom(value))}: {value.rule.value}"

    def write(self, value: Entry) -> str:
        """Return the same."""
        return self.show(value, None)


def _whom(entry: Entry) -> Iterable[str]:
    if entry.names:
        yield " and ".join(sorted(entry.names))
    if entry.matching is not None:
        yield f"whoever matches {entry.matching.pattern}"


def _rule(raw: object, path: str, problems: Problems) -> Rule | None:
    rule = Choice(Rule).read(raw, path, problems)
    if rule is Rule.OFF:
        problems.say(path, "off changes nothing: of all rules for an account the strictest holds")
        return None
    return rule


def _names(raw: object, path: str, problems: Problems) -> frozenset[str]:
    if raw is None:
        return frozenset()
    names = ListOf(Text(), "names").read(raw, path, problems) or ()
    for number, name in enumerate(names):
        # One that is no name is nobody's, and its rule would be for fewer than its writer thinks.
        if not _NAME.fullmatch(name) or name.startswith("@") != (":" in name):
            text = f"expected a Matrix id or a username, got {shown(name)}"
            problems.say(f"{path}[{number}]", text)
    return frozenset(names)


def _pattern(raw: object, path: str, problems: Problems) -> re.Pattern[str] | None:
    if raw is None:
        return None
    text = Text().read(raw, path, problems)
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        problems.say(path, f"is no regular expression: {error}")
        return None


@frozen
class StrongSignIns:
    """By the `idp_id` of a provider: what it says of a sign-in that is two factors."""

    @property
    def takes(self) -> str:
        """Lists by the ids of providers."""
        return "lists of texts by the ids of providers"

    def read(self, raw: object, path: str, problems: Problems) -> frozenset[Strong] | None:
        """Return what each says."""
        if not isinstance(raw, Mapping):
            problems.say(path, f"expected lists by the ids of providers, got {kind_of(raw)}")
            return None
        found = set[Strong]()
        for provider, said in raw.items():
            where = join(path, provider)
            if not isinstance(provider, str):
                problems.say(where, f"expected the id of a provider, got {shown(provider)}")
                continue
            words = ListOf(Text(), "texts").read(said, where, problems)
            if words is not None and not words:
                problems.say(where, "is empty: leave the provider out")
            found.update(Strong(provider, each) for each in words or ())
        return frozenset(found)

    def show(self, value: frozenset[Strong], written: object) -> str:  # noqa: ARG002 - like every kind
        """Return who says what."""
        said: dict[str, list[str]] = {}
        for each in sorted(value, key=lambda strong: (strong.provider, strong.said)):
            said.setdefault(each.provider, []).append(each.said)
        words = [f"{provider} says {' or '.join(each)}" for provider, each in said.items()]
        return ", ".join(words) or "none"

    def write(self, value: frozenset[Strong]) -> str:
        """Return the same."""
        return self.show(value, None)

"""What other modules may say: texts, and addresses that lead where they seem to."""

import pytest

from synapse_nextgen_auth import extensions
from synapse_nextgen_auth.extensions import (
    Card,
    CardText,
    Field,
    Link,
    NotOurs,
    Question,
    Stage,
    TryAgain,
)


class Api:
    """Stands for a `ModuleApi`: it is a key and nothing else."""


async def nothing(*_):
    """Answer nothing."""


def a_stage(name="org.example.terms"):
    return Stage(name=name, needs=nothing, page=nothing, answer=nothing)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "javascript:alert(1)",
        "//example.org/",
        "account-data",
        "https:/\\example.org/",
        "https://",
        "https://example.org@evil.example/",
        "https://example.org/\n",
        " https://example.org/",
        "https://ex\u0430mple.org/",
        "https://[::1",
        None,
    ],
)
def test_c202_a_link_is_an_address_of_the_web(url):
    """Whoever presses it is where it says."""
    with pytest.raises(NotOurs):
        Link("Read", url)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Question(title=""),
        lambda: Question(title=7),
        lambda: Question(title="a" * 4001),
        lambda: Question(title="a", paragraphs=(1,)),
        lambda: Question(title="a", paragraphs=("x" * 4001,)),
        lambda: Question(title="a", links=("https://example.org/",)),
        lambda: Question(title="a", fields=[Field(name="b", label="c")] * 2),
        lambda: Question(title="a", fields=[Field(name=f"f{n}", label="c") for n in range(21)]),
        lambda: Field(name="csrf[]", label="c"),
        lambda: TryAgain(""),
        lambda: a_stage("Terms"),
        lambda: a_stage('a"b'),
        lambda: Card(name="", show=nothing),
        lambda: CardText(title="a", link="https://example.org/"),
    ],
)
def test_what_cannot_be_shown_cannot_be_made(make):
    """A mistake is heard of where it is made."""
    with pytest.raises((NotOurs, TypeError)):
        make()


def test_it_is_the_same_for_everybody_with_that_api():
    """Whoever comes first; and another homeserver has its own."""
    api = Api()
    extensions.of(api).add_stage(a_stage("b"))
    extensions.of(api).add_stage(a_stage("a"))

    assert [each.name for each in extensions.of(api).stages] == ["b", "a"]
    assert extensions.of(Api()).stages == ()
    with pytest.raises(NotOurs):
        extensions.of(api).add_stage(a_stage("a"))

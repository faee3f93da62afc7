"""Language tags and the choice between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth import languages


@pytest.mark.parametrize(
    "tag", ["fr", "de-CH-1996", "zh-Hant-TW", "x-private", "i-klingon", "en-a-bbb-x-a", "sr-Latn"]
)
def test_a_well_formed_tag(tag):
    """RFC 5646; whether the subtags exist is not ours to know."""
    assert languages.is_tag(tag)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "fr-", "-fr", "fr--CA", "de_DE", "fr ", "fr\n", "\u0131t", "f\u0660", "123"),
        *("abcdefghi", "fr-abcdefghi", "fr#x", "en" * 50_000, "a-" * 50_000),
    ],
)
def test_c222_no_tag(text):
    """Anything else is none, however long it is."""
    assert not languages.is_tag(text)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["fr"], "fr"),
        (["fr-CA"], "fr"),
        (["FR-ca"], "fr"),
        (["zh-Hant-CN-x-private1"], "zh-hant"),
        (["de", "fr"], "fr"),
        (["en-GB", "fr"], "en-GB"),
        (["en"], None),
        (["en-US"], None),
        (["*"], None),
        ([""], None),
        (["not a tag", "fr"], "fr"),
        ([], None),
    ],
)
def test_the_first_wanted_language_that_is_there_wins(wanted, found):
    """RFC 4647 section 3.4: a wish is shortened from its end, and never made longer."""
    assert languages.lookup(["fr", "en-GB", "zh-hant"], wanted) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        *(("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-SG", "zh-Hans"), ("zh-Hans-CN", "zh-Hans")),
        *(
            ("zh-TW", "zh-Hant"),
            ("zh-HK", "zh-Hant"),
            ("zh-Hant-HK", "zh-Hant"),
            ("yue", "zh-Hant"),
        ),
        *(("pt", "pt-BR"), ("pt-PT", "pt-BR"), ("no", "nb"), ("nn-NO", "nb"), ("no-NO", "nb")),
        *(("iw", "he"), ("iw-IL", "he"), ("in-ID", "id")),
    ],
)
def test_a_tag_may_stand_for_another_one(wanted, found):
    """As browsers have written it for long, or as its readers read best of what there is."""
    available = ["en", "he", "id", "nb", "pt-BR", "zh-Hans", "zh-Hant"]

    assert languages.lookup(available, [wanted, "en"]) == found


def test_what_was_asked_for_comes_before_what_it_may_stand_for():
    assert languages.lookup(["pt-BR", "pt-PT"], ["pt-PT"]) == "pt-PT"
    assert languages.lookup(["nb", "nn"], ["nn"]) == "nn"


@given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5))
def test_any_texts_are_answered(available, wanted):
    """What is found was there."""
    found = languages.lookup(available, wanted)

    assert found is None or found in available

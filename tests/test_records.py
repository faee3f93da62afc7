"""Our records are those of attrs: whatever shares its methods compares, hashes and reads the same."""

import re
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth import records
from synapse_nextgen_auth.records import frozen


def classes(decorator):
    """Return the same two records, made by `decorator`: one that inherits from the other."""

    @decorator
    class Base:
        name: str
        secret: str = attrs.field(repr=False)
        note: int = attrs.field(default=0, eq=False)

    @decorator(kw_only=True)
    class Child(Base):
        shout: str = attrs.field(default="", repr=str.upper)
        made: str = attrs.field(init=False)

        @made.default
        def _made(self):
            return self.shout * 2

    return Base, Child


OURS, THEIRS = classes(frozen), classes(attrs.frozen)
FIELDS = st.fixed_dictionaries(
    {"name": st.sampled_from("ab"), "secret": st.sampled_from("ab"), "note": st.integers(0, 1)}
)


@given(FIELDS, FIELDS, st.sampled_from([0, 1]), st.sampled_from([0, 1]))
def test_it_compares_and_reads_as_one_of_attrs(one, other, first, second):
    """Fields that are not compared, not shown or shown otherwise are so here too."""
    ours = OURS[first](**one), OURS[second](**other)
    theirs = THEIRS[first](**one), THEIRS[second](**other)

    assert (ours[0] == ours[1]) is (theirs[0] == theirs[1])
    assert (ours[0] != ours[1]) is (theirs[0] != theirs[1])
    assert len(set(ours)) == len(set(theirs))
    assert list(map(repr, ours)) == list(map(repr, theirs))


def test_a_secret_is_not_shown():
    assert repr(OURS[0]("a", "hidden")).endswith("Base(name='a', note=0)")


def test_it_never_changes():
    """Neither by an assignment nor by a new name, as attrs has it."""
    record = OURS[0]("a", "b")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        record.name = "c"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        record.other = "c"


def test_another_class_is_another_record():
    """Whatever it holds: neither a child, nor one of attrs' own, nor a record without any field."""

    @frozen
    class Nothing:
        pass

    @frozen
    class Nothing2:
        pass

    assert OURS[0]("a", "b") != OURS[1](name="a", secret="b")
    assert OURS[0]("a", "b") != THEIRS[0]("a", "b")
    assert Nothing() == Nothing()
    assert Nothing() != Nothing2()
    assert len({Nothing(), Nothing(), Nothing2()}) == 2


def test_an_error_is_itself_alone():
    """Two that were raised are two, whatever they say."""

    @frozen
    class Wrong(Exception):
        why: str

    assert Wrong("a") != Wrong("a")
    assert repr(Wrong("a")).endswith("Wrong(why='a')")


def test_what_a_class_has_of_its_own_stays():
    @frozen
    class Own:
        value: int

        def __repr__(self):
            return "own"

        def __eq__(self, other):
            return isinstance(other, Own)

        def __hash__(self):
            return 1

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)
    assert len({Own(1), Own(2)}) == 1


@pytest.mark.parametrize("decorator", [frozen, attrs.frozen])
def test_a_constructor_does_all_that_attrs_has_it_do(decorator):
    """Factories, converters, checks and what comes after them, whatever of it a class has."""

    def short(_, attribute, value):
        if len(value) > 3:
            raise ValueError(attribute.name)

    @decorator
    class Full:
        name: str = attrs.field(converter=str.upper, validator=short)
        parts: list[str] = attrs.field(factory=list)
        found: dict[str, str] = attrs.field(factory=dict, init=False)
        last: str = attrs.field(default="z", kw_only=True)

        def __attrs_post_init__(self):
            self.found[self.name] = self.last

    full = Full("abc", ["d"], last="e")

    assert (full.name, full.parts, full.found, full.last) == ("ABC", ["d"], {"ABC": "e"}, "e")
    assert Full("a").parts is not Full("a").parts
    with pytest.raises(ValueError, match=r"^name$"):
        Full("abcd")
    for wrong in ((), ("a", [], "e")):
        with pytest.raises(TypeError, match=r"Full\.__init__\(\) "):
            Full(*wrong)


def test_constructors_share_what_is_the_same_for_all():
    """Those of attrs each have a copy of all names of their module."""

    @frozen
    class Other:
        other: str
        some: str = "default"

    one, other = OURS[0].__init__, Other.__init__

    assert one.__globals__ is other.__globals__
    assert one.__globals__.keys() <= {"NOTHING", "_cached_setattr_get", "__builtins__"}
    assert (Other("a").some, Other("a", some="b").some) == ("default", "b")


def test_its_fields_are_all_there():
    """What reads the fields of a record finds them in their order, those it inherited first."""
    names = ["name", "secret", "note", "shout", "made"]

    assert [field.name for field in attrs.fields(OURS[1])] == names
    assert list(attrs.asdict(OURS[1](name="a", secret="b"))) == names
    assert attrs.evolve(OURS[0]("a", "b"), name="c") == OURS[0]("c", "b")


_OF_ATTRS = re.compile(r"^\s*@attrs\.frozen(\(kw_only=True\))?$", re.MULTILINE)


def test_every_record_shares_them():
    """One that attrs writes methods for says with an option why: that costs each start, everywhere."""
    package = Path(records.__file__).parent
    found = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if _OF_ATTRS.search(path.read_text("utf-8"))
    ]

    assert found == []


def test_of_a_field_attrs_says_what_it_always_says():
    """Also where one inherits it."""
    for ours, theirs in zip(OURS, THEIRS, strict=True):
        for own, other in zip(attrs.fields(ours), attrs.fields(theirs), strict=True):
            for name in ("name", "type", "inherited", "kw_only", "alias", "init", "eq"):
                assert getattr(own, name) == getattr(other, name)


def test_what_goes_wrong_in_a_constructor_says_where():
    """Its own lines are gone with its text; those of what it calls are not."""

    def fails(_value):
        raise LookupError("as it should")

    @frozen
    class Record:
        name: str = attrs.field(converter=fails)

    with pytest.raises(LookupError, match="as it should") as caught:
        Record("a")

    entries = [(entry.name, entry.lineno) for entry in caught.traceback]
    assert [name for name, _ in entries][1:] == ["__init__", "fails"]
    assert entries[1][1] == 0
    code = Record.__init__.__code__
    assert {line for *_, line in code.co_lines()} == {1}
    assert len(list(code.co_positions())) == len(code.co_code) // 2

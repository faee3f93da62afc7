"""The operator's colours: whatever they are, everything can be read, and it is said what was moved."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.pages import STYLE
from synapse_nextgen_auth.config.brand import Shades
from synapse_nextgen_auth.web.brand import roles
from synapse_nextgen_auth.web.brand.colours import contrast, lch, mixed, nearest, of_lch, shifted

COLOURS = st.builds("#{:06x}".format, st.integers(0, 0xFFFFFF))
SHADES = st.builds(Shades, COLOURS, st.none() | COLOURS) | st.builds(Shades, st.none(), COLOURS)


def in_sheet(name):
    """Return the colours of a scheme as the style sheet has them."""
    light, _, dark = STYLE.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if name == "dark":
        found |= re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark.partition("/*")[0])
    return found


@pytest.mark.parametrize("scheme", roles.BY_NAME.values(), ids=lambda scheme: scheme.name)
def test_the_grounds_are_those_of_the_style_sheet(scheme):
    """What colours are compared with is what they stand on."""
    found = in_sheet(scheme.name)

    for role in ("page", "card", "inset", "muted", "danger"):
        assert getattr(scheme, role) == found[role]
    assert scheme.field_line == found["field-line"]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        ("#777777", "#ffffff", 4.478),
        ("#767676", "#ffffff", 4.542),
        ("#ff0000", "#ffffff", 3.998),
        ("#0000ff", "#ffff00", 8.002),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    """With figures that others have published."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.001)
    assert contrast(other, one) == contrast(one, other)


@given(COLOURS)
def test_a_colour_comes_back_as_it_went(colour):
    """To Oklab and back nothing is lost."""
    assert of_lch(lch(colour)) == colour
    assert shifted(colour, 0) == colour
    assert mixed(colour, "#123456", 1) == colour


def apart(one, other):
    """Return how far two colours are from each other, in the largest of their parts."""
    return max(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) for at in (1, 3, 5))


@given(COLOURS, st.sampled_from(["#ffffff", "#171b22"]), st.floats(1.5, 7))
def test_the_nearest_that_passes_just_passes(colour, ground, least):
    """It is readable, and a shade between it and the first one would not have been."""
    lighter = ground != "#ffffff"
    found = nearest(colour, lambda c: contrast(c, ground) >= least, lighter=lighter)

    assert contrast(found, ground) >= least
    if contrast(colour, ground) >= least:
        assert found == colour
    elif found not in {"#000000", "#ffffff"}:
        back = shifted(found, -0.015 if lighter else 0.015)
        assert contrast(back, ground) < least


@given(SHADES, st.none() | SHADES)
def test_whatever_the_colours_everything_can_be_read(accent, background):
    """Every pair of a role of ours and one of the brand is AA, in both schemes (WCAG 1.4.3, 1.4.11)."""
    palette = roles.of(accent, background)
    for name in ("light", "dark"):
        found = in_sheet(name) | palette.roles[name]
        for front in ("accent", "accent-hover"):
            for ground in ("page", "card", "inset"):
                assert contrast(found[front], found[ground]) >= 4.5, (name, front, ground)
        for ground in ("button", "button-hover"):
            assert contrast(found["on-button"], found[ground]) >= 4.5, (name, ground)
        assert contrast(found["on-accent-tint"], found["accent-tint"]) >= 4.5
        assert contrast(found["focus"], found["page"]) >= 3
        for front, least in (("muted", 4.5), ("text", 4.5), ("danger", 4.5), ("field-line", 3)):
            assert contrast(found[front], found["page"]) >= least, (name, front)
        edge = found["button"] if found["button-line"] == "transparent" else found["button-line"]
        assert contrast(edge, found["card"]) >= 3


@given(SHADES)
def test_what_is_not_moved_is_not_spoken_of(accent):
    """A colour of which nothing is said is the one that is used, and of the others it is said."""
    palette = roles.of(accent, None)
    told = {name: [] for name in ("light", "dark")}
    for fault in palette.faults:
        told["dark" if "dark" in fault.option else "light"].append(fault.text)
    for name in ("light", "dark"):
        written, found = accent.of(name), palette.roles[name]
        if written is None:
            assert told[name] == []
            continue
        said = " ".join(told[name])
        assert ("as a link" in said) == (found["accent"] != written)
        assert ("is no button" in said) == (found["button"] != written)
        assert ("grey edge" in said) == (found["button-line"] != "transparent")


@pytest.mark.parametrize(
    ("accent", "faults"),
    [
        (Shades("#2a56c6", None), []),
        (Shades("#111111", None), []),
        (Shades(None, "#9db8ff"), []),
        (
            Shades("#f5c400", None),
            [
                "accent: #f5c400 cannot be read as a link in light: it has a contrast of 1.4 on the"
                " page, 1.6 on the card, 1.5 on a box in it, and 4.5 is needed. Links are #896c00, the"
                " nearest that is.",
                "accent: #f5c400 as a button in light has a contrast of 1.6 to the card, and 3 is"
                " needed. Buttons have a grey edge.",
            ],
        ),
        (
            Shades("#767676", "#111111"),
            [
                "accent.light: #767676 cannot be read as a link in light: it has a contrast of 4.1 on"
                " the page, 4.2 on a box in it, and 4.5 is needed. Links are #6f6f6f, the nearest that"
                " is.",
                "accent.dark: #111111 cannot be read as a link in dark: it has a contrast of 1.0 on the"
                " page, 1.0 on the card, 1.2 on a box in it, and 4.5 is needed. Links are #8a8a8a, the"
                " nearest that is.",
                "accent.dark: #111111 as a button in dark has a contrast of 1.0 to the card, and 3 is"
                " needed. Buttons have a grey edge.",
            ],
        ),
        (
            Shades("#797979", None),
            [
                "accent: #797979 cannot be read as a link in light: it has a contrast of 3.9 on the"
                " page, 4.3 on the card, 4.0 on a box in it, and 4.5 is needed. Links are #6f6f6f, the"
                " nearest that is.",
                "accent: #797979 is no button in light on which words can be read: white and black have"
                " a contrast of 4.3 at most, and 4.5 is needed. Buttons are #767676, the nearest that"
                " is.",
            ],
        ),
        (
            Shades("#c8102e", None),
            [
                "accent: #c8102e is near the red that means danger: people may take a button of yours"
                " for one that cannot be undone."
            ],
        ),
    ],
    ids=["fine", "dark", "only dark", "yellow", "greys", "between", "red"],
)
def test_each_pair_that_fails_is_named(accent, faults):
    """With its figures, and with what is used instead."""
    found = [f"{fault.option}: {fault.text}" for fault in roles.of(accent, None).faults]

    assert found == faults


def test_a_background_on_which_nothing_can_be_read_is_moved():
    """Of one colour the other scheme keeps ours."""
    palette = roles.of(None, Shades("#445566", None))
    (fault,) = palette.faults

    assert set(palette.roles["light"]) == {"page"}
    assert palette.roles["dark"] == {}
    assert fault.option == "background"
    assert fault.text.startswith("on #445566 not everything can be read in light: words have a")
    assert fault.text.endswith(
        f" The page is {palette.roles['light']['page']}, the nearest on which it can."
    )


def test_the_sheet_that_is_added_is_for_screens():
    """Paper stays white and black, and dark comes after light."""
    sheet = roles.of(Shades("#7a3e9d", None), Shades("#fbf7f0", "#14100c")).sheet

    assert sheet.count("@media screen") == 2
    assert sheet.index("--page: #fbf7f0;") < sheet.index("(prefers-color-scheme: dark)")
    assert sheet.index("(prefers-color-scheme: dark)") < sheet.index("--page: #14100c;")
    assert "--button: #7a3e9d;" in sheet
    assert re.sub(r"--[\w-]+: (#[0-9a-f]{6}|transparent);\n", "", sheet) == (
        "\n@media screen {\n:root {\n}\n}\n"
        "@media screen and (prefers-color-scheme: dark) {\n:root {\n}\n}\n"
    )

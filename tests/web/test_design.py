"""What `docs/development/design.md` says of the style sheet, in numbers."""

import re

import pytest

from support.pages import DIRECTORY, STYLE

PAGE = (DIRECTORY.parent / "docs" / "development" / "design.md").read_text()
SHEET = re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL)
# After the two blocks that say what each role is.
RULES = SHEET[SHEET.index("box-sizing") :]
SPACING = re.compile(
    r"^\s*((?:margin|padding)(?:-[a-z-]+)?|gap|row-gap|column-gap)\s*:\s*([^;]+);", re.MULTILINE
)
ON_SCALE = re.compile(r"(?:0|auto|var\(--s[1-7]\)|calc\(var\(--s\d\) - var\(--s\d\)\))")
# Distances that the eye wants: beside an icon, around a logo, of a list's own signs, of the frame.
OPTICAL = {
    ("margin", "2cm"),
    ("margin-bottom", "-0.625rem"),
    ("margin-top", "0.125rem"),
    ("padding", "0.625rem var(--s3)"),
    ("padding", "1px"),
    ("padding", "clamp(1.25rem, 6vw, 2.25rem)"),
    ("padding", "clamp(1rem, 6vh, 4.5rem) var(--s4) var(--s5)"),
    ("padding", "var(--s5) min(1.25rem, 6vw) var(--s4)"),
    ("padding-block", "0.25rem"),
    ("padding-inline", "2.75rem 0"),
    ("padding-inline-end", "1.75rem"),
    ("padding-inline-end", "2.75rem"),
    ("padding-inline-start", "1.25em"),
    ("padding-inline-start", "1.25rem"),
}


def off_scale(rules):
    """Return the distances that are neither on the scale nor known to be optical."""
    found = {(name, " ".join(value.split())) for name, value in SPACING.findall(rules)}
    return {
        (name, value)
        for name, value in found - OPTICAL
        if not all(ON_SCALE.fullmatch(each) for each in re.findall(r"calc\(.*?\)\)|\S+", value))
    }


def test_distances_are_on_the_scale():
    """Seven of them, so that nobody has to choose."""
    scale = {name: float(value) * 16 for name, value in re.findall(r"--(s\d): ([\d.]+)rem;", SHEET)}
    documented = re.search(r"\| `--s1`.*?\n\|[-|]+\n\| (.*?) \|\n", PAGE)[1].split(" | ")

    assert list(scale.values()) == [float(each) for each in documented]
    assert off_scale(RULES) == set()
    assert len(SPACING.findall(RULES)) > 80
    assert {(name, " ".join(value.split())) for name, value in SPACING.findall(RULES)} >= OPTICAL


def test_sizes_of_text_are_on_the_scale():
    """Five sizes in rem and three weights."""
    sizes = set(re.findall(r"font-size:\s*([^;]+);", RULES))
    shorthands = re.findall(r"font:\s*([^;]+);", RULES)
    sizes |= {
        re.search(r"[\d.]+rem|var\(--\w+\)", each)[0] for each in shorthands if each != "inherit"
    }
    weights = set(re.findall(r"font-weight:\s*(\d+)|font:\s*(\d+) ", RULES))
    named = {"var(--small)": "0.875rem", "var(--large)": "1.125rem"}
    pixels = {float(named.get(each, each).removesuffix("rem")) * 16 for each in sizes}
    documented = {float(each) for each in re.findall(r"^\| (\d\d) \| .* \| `", PAGE, re.MULTILINE)}

    assert pixels == documented == {14, 16, 18, 24, 28}
    assert {one or other for one, other in weights} == {"400", "600", "650"}


def test_colours_are_roles():
    """Black and white are for paper, codes and logos; the shadow of the card is no colour of a text."""
    colours = set(re.findall(r"#[0-9a-fA-F]{3,8}\b|(?:rgb|hsl|oklch)a?\([^)]*\)", RULES))
    used = set(re.findall(r"var\(--([\w-]+)", SHEET)) - {"button-line"}  # of a brand
    defined = set(re.findall(r"^\s*--([\w-]+):", SHEET, re.MULTILINE))

    assert colours == {"#fff", "#000", "rgb(16 24 40 / 4%)", "rgb(16 24 40 / 14%)"}
    assert used == defined


def moving(sheet):
    """Return what moves although somebody may have asked for less, and all that moves."""
    block = r"@media \(prefers-reduced-motion: no-preference\) \{(.*?)\n\}"
    allowed = "".join(re.findall(block, sheet, re.DOTALL))
    rest = re.sub(block, "", sheet, flags=re.DOTALL)
    words = r"^\s*(?:transition|animation|scroll-behavior)[\w-]*:\s*([^;]+);"
    always = [each for each in re.findall(words, rest, re.MULTILINE) if each != "none !important"]
    return always, re.findall(words, allowed, re.MULTILINE)


def test_nothing_moves_for_who_asked_for_less():
    """And for the others colours and opacity alone."""
    always, allowed = moving(SHEET)

    assert always == []
    assert [re.findall(r"([a-z-]+) 120ms", each) for each in allowed] == [
        ["background-color", "opacity"]
    ]
    assert "@keyframes" not in SHEET
    assert "position: sticky" not in SHEET
    assert "position: fixed" not in SHEET


def test_every_setting_of_others_has_rules():
    for media in (
        "(prefers-contrast: more)",
        "(forced-colors: active)",
        "(prefers-reduced-motion: reduce)",
        "(prefers-color-scheme: dark)",
        "print",
    ):
        assert f"@media {media} {{" in SHEET


@pytest.mark.parametrize(
    ("rule", "is_off"),
    [
        ("  padding: 5px;", True),
        ("  gap: var(--s2) 3rem;", True),
        ("  margin-top: 0.3rem;", True),
        ("  gap: var(--s2) var(--s3);", False),
        ("  margin: 0 auto;", False),
        ("  margin-top: calc(var(--s2) - var(--s5));", False),
    ],
)
def test_a_distance_off_the_scale_is_noticed(rule, is_off):
    """The search can fail."""
    assert bool(off_scale(f".a {{\n{rule}\n}}")) == is_off


def test_what_moves_is_noticed():
    moves = ".a {\n  transition: top 1s;\n}\n"

    assert moving(moves) == (["top 1s"], [])

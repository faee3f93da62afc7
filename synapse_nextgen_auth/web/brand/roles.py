"""The roles of the style sheet that follow from an operator's colours, and what could not stay.

A colour is used as it was written wherever one can read it, and the nearest one that can be read where
not: no brand makes a page that somebody cannot use.
"""

import math
from collections.abc import Iterator, Mapping

from synapse_nextgen_auth.config.brand import SCHEMES, Shades
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.brand.colours import contrast, lch, mixed, nearest, shifted

TEXT, EDGE = 4.5, 3.0  # WCAG 2.2 AA, 1.4.3 and 1.4.11
# Of a scheme for which nothing was written, links are as clear as ours.
_CLEAR = 6.5
_WHITE, _DARK = "#ffffff", "#171b22"
# How much lighter or darker something is while one points at it, and a link beside the accent.
_HOVER, _LINK_HOVER = 0.04, 0.06
# Two colours of which one is taken for the other, and one that is too grey for it.
_NEAR, _GREY = math.radians(20), 0.06


@frozen
class Scheme:
    """What the style sheet has for light or dark: a test compares.

    `goes` is where a colour becomes easier to read on it: 1 for lighter, -1 for darker.
    """

    name: str
    page: str
    card: str
    inset: str
    muted: str
    danger: str
    field_line: str
    goes: int
    tint: float


LIGHT = Scheme(
    *("light", "#f2f4f7", "#ffffff", "#f6f7f9", "#5a6270", "#b3261e", "#7d8694"), goes=-1, tint=0.12
)
DARK = Scheme(
    *("dark", "#0e1116", "#171b22", "#1f242d", "#a4adba", "#f0857a", "#7b8595"), goes=1, tint=0.22
)
BY_NAME = {LIGHT.name: LIGHT, DARK.name: DARK}


@frozen
class Fault:
    """What was written and cannot be used as it is: of which option, and in which words."""

    option: str
    text: str


@frozen
class Palette:
    """The roles of each scheme, by their names in the style sheet, and every fault."""

    roles: Mapping[str, Mapping[str, str]]
    faults: tuple[Fault, ...]

    @property
    def sheet(self) -> str:
        """Return what comes after the style sheet. On paper nothing is of a colour."""
        light, dark = ("".join(_lines(self.roles[name])) for name in SCHEMES)
        return (
            f"\n@media screen {{\n:root {{\n{light}}}\n}}\n"
            f"@media screen and (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"
        )


def of(accent: Shades | None, background: Shades | None) -> Palette:
    """Return the roles of both schemes."""
    roles: dict[str, dict[str, str]] = {name: {} for name in SCHEMES}
    faults: list[Fault] = []
    for name, scheme in BY_NAME.items():
        page, written = scheme.page, background.of(name) if background else None
        if background and written:
            page = _page(written, scheme)
            roles[name]["page"] = page
            faults += _of_background(background, scheme, written, page)
        if accent:
            colour = accent.of(name)
            roles[name] |= _accent(
                colour or _derived(accent, scheme), scheme, page, TEXT if colour else _CLEAR
            )
            if colour:
                faults += _of_accent(accent, scheme, colour, roles[name], page)
    return Palette(roles, tuple(faults))


def _lines(roles: Mapping[str, str]) -> Iterator[str]:
    return (f"--{role}: {value};\n" for role, value in roles.items())


def _page(written: str, scheme: Scheme) -> str:
    return nearest(written, lambda c: not _unread_on(c, scheme), lighter=scheme.goes < 0)


def _derived(accent: Shades, scheme: Scheme) -> str:
    """Return the colour that stands for one of the other scheme: one that is seen on the card."""
    colour = accent.light or accent.dark or ""
    return nearest(colour, lambda c: contrast(c, scheme.card) >= EDGE, lighter=scheme.goes > 0)


def _accent(colour: str, scheme: Scheme, page: str, least: float) -> dict[str, str]:
    """Return what follows from an accent: of links, of buttons and of tints."""
    lighter, grounds = scheme.goes > 0, (page, scheme.card, scheme.inset)
    link = nearest(colour, lambda c: _least(c, grounds) >= least, lighter=lighter)
    on_button = next((ink for ink in (_WHITE, _DARK) if contrast(ink, colour) >= TEXT), _WHITE)
    button = nearest(colour, lambda c: contrast(on_button, c) >= TEXT, lighter=False)
    away = -_HOVER if on_button == _WHITE else _HOVER
    tint = mixed(colour, scheme.card, scheme.tint)
    return {
        "accent": link,
        "accent-hover": shifted(link, scheme.goes * _LINK_HOVER),
        "button": button,
        "button-hover": shifted(button, away),
        "on-button": on_button,
        "button-line": "transparent"
        if contrast(button, scheme.card) >= EDGE
        else scheme.field_line,
        "accent-tint": tint,
        "on-accent-tint": nearest(link, lambda c: contrast(c, tint) >= TEXT, lighter=lighter),
        "focus": link,
    }


def _least(colour: str, grounds: tuple[str, ...]) -> float:
    return min(contrast(colour, ground) for ground in grounds)


def _of_accent(
    accent: Shades, scheme: Scheme, colour: str, roles: Mapping[str, str], page: str
) -> Iterator[Fault]:
    path = _path("accent", accent, scheme)
    grounds = {"the page": page, "the card": scheme.card, "a box in it": scheme.inset}
    if roles["accent"] != colour:
        low = [
            f"{_figure(contrast(colour, ground))} on {name}"
            for name, ground in grounds.items()
            if contrast(colour, ground) < TEXT
        ]
        yield Fault(
            path,
            f"{colour} cannot be read as a link in {scheme.name}: it has a contrast of"
            f" {', '.join(low)}, and {TEXT} is needed. Links are {roles['accent']}, the nearest that"
            " is.",
        )
    if roles["button"] != colour:
        best = max(contrast(ink, colour) for ink in (_WHITE, _DARK))
        yield Fault(
            path,
            f"{colour} is no button in {scheme.name} on which words can be read: white and black have a"
            f" contrast of {_figure(best)} at most, and {TEXT} is needed. Buttons are"
            f" {roles['button']}, the nearest that is.",
        )
    if roles["button-line"] != "transparent":
        edge = contrast(roles["button"], scheme.card)
        yield Fault(
            path,
            f"{colour} as a button in {scheme.name} has a contrast of {_figure(edge)} to the card, and"
            f" {EDGE:g} is needed. Buttons have a grey edge.",
        )
    if _is_near(colour, scheme.danger):
        yield Fault(
            path,
            f"{colour} is near the red that means danger: people may take a button of yours for one"
            " that cannot be undone.",
        )


def _is_near(colour: str, other: str) -> bool:
    (_, chroma, hue), (_, _, red) = lch(colour), lch(other)
    apart = abs(math.remainder(hue - red, math.tau))
    return chroma >= _GREY and apart <= _NEAR


def _of_background(background: Shades, scheme: Scheme, written: str, page: str) -> Iterator[Fault]:
    low = _unread_on(written, scheme)
    if low:
        yield Fault(
            _path("background", background, scheme),
            f"on {written} not everything can be read in {scheme.name}: {', '.join(low)}."
            f" The page is {page}, the nearest on which it can.",
        )


def _unread_on(page: str, scheme: Scheme) -> list[str]:
    """Return what has too little contrast on a page of this colour."""
    pairs = (
        ("words", scheme.muted, TEXT),
        ("errors", scheme.danger, TEXT),
        ("edges of fields", scheme.field_line, EDGE),
    )
    return [
        f"{name} have a contrast of {_figure(contrast(colour, page))} and need {least:g}"
        for name, colour, least in pairs
        if contrast(colour, page) < least
    ]


def _path(option: str, shades: Shades, scheme: Scheme) -> str:
    is_one = shades.dark is None and scheme.name == "light"
    return option if is_one else f"{option}.{scheme.name}"


def _figure(ratio: float) -> str:
    """Return a ratio, never rounded up to what is needed."""
    return f"{math.floor(ratio * 10) / 10:.1f}"

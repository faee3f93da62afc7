"""Colours: how well one is read on another (WCAG 2), and the nearest one that is (Oklab).

A colour is `#rrggbb`. In Oklab equal steps look equal, so a colour that gets darker keeps its hue.
"""

import math
from collections.abc import Callable

# Halvings until two colours are the same in eight bits.
_STEPS = 20
Lch = tuple[float, float, float]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, 1.4.3)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def nearest(colour: str, passes: Callable[[str], bool], *, lighter: bool) -> str:
    """Return the nearest shade of a colour that passes, towards white or black, which must pass."""
    if passes(colour):
        return colour
    lightness, chroma, hue = lch(colour)
    fails, good = lightness, 1.0 if lighter else 0.0
    for _ in range(_STEPS):
        middle = (fails + good) / 2
        if passes(of_lch((middle, chroma, hue))):
            good = middle
        else:
            fails = middle
    return of_lch((good, chroma, hue))


def shifted(colour: str, by: float) -> str:
    """Return a colour that is lighter by that much, where white is 1 lighter than black."""
    lightness, chroma, hue = lch(colour)
    return of_lch((min(1.0, max(0.0, lightness + by)), chroma, hue))


def mixed(colour: str, ground: str, share: float) -> str:
    """Return what a thin layer of a colour looks like on a ground."""
    pairs = zip(_lab(colour), _lab(ground), strict=True)
    lightness, a, b = (one * share + other * (1 - share) for one, other in pairs)
    return of_lch((lightness, math.hypot(a, b), math.atan2(b, a)))


def lch(colour: str) -> Lch:
    """Return lightness, chroma and hue; the hue is an angle."""
    lightness, a, b = _lab(colour)
    return lightness, math.hypot(a, b), math.atan2(b, a)


def of_lch(wanted: Lch) -> str:
    """Return a colour of this lightness and hue, as strong as screens can show it."""
    lightness, chroma, hue = wanted
    least, most = 0.0, chroma
    if not _is_shown(_linear((lightness, chroma, hue))):
        for _ in range(_STEPS):
            middle = (least + most) / 2
            if _is_shown(_linear((lightness, middle, hue))):
                least = middle
            else:
                most = middle
        chroma = least
    parts = (_encoded(part) for part in _linear((lightness, chroma, hue)))
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _luminance(colour: str) -> float:
    red, green, blue = _decoded(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _decoded(colour: str) -> tuple[float, float, float]:
    """Return the amounts of light."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def _light(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(light: float) -> float:
    inside = min(1.0, max(0.0, light))
    return 12.92 * inside if inside <= 0.0031308 else 1.055 * inside ** (1 / 2.4) - 0.055


# https://bottosson.github.io/posts/oklab/


def _lab(colour: str) -> tuple[float, float, float]:
    red, green, blue = _decoded(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear(wanted: Lch) -> tuple[float, float, float]:
    lightness, chroma, hue = wanted
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _is_shown(parts: tuple[float, float, float]) -> bool:
    return all(-0.0001 <= part <= 1.0005 for part in parts)  # what rounding hides

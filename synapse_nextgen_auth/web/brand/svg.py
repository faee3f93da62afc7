"""SVG files that only draw: what could run, load or lead anywhere is refused by its name (C198, C201).

Everything is refused that is not known to be harmless. Browsers run nothing in an `<img>`, and our
header forbids it where somebody opens the file itself; this is so that neither has to hold.
"""

import re
from collections.abc import Iterator, Mapping
from xml.parsers import expat

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.brand.repeats import Repeats

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"
# fmt: off
_ELEMENTS = frozenset({
    "svg", "g", "defs", "symbol", "use", "switch", "title", "desc", "metadata", "style", "view",
    "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "textPath", "image", "linearGradient", "radialGradient", "stop", "pattern", "clipPath",
    "mask", "marker", "filter", "feBlend", "feColorMatrix", "feComponentTransfer", "feComposite",
    "feConvolveMatrix", "feDiffuseLighting", "feDisplacementMap", "feDistantLight",
    "feDropShadow", "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur",
    "feMerge", "feMergeNode", "feMorphology", "feOffset", "fePointLight", "feSpecularLighting",
    "feSpotLight", "feTile", "feTurbulence",
})
# fmt: on
# What programs that draw note down for themselves; browsers know nothing of it.
_OF_EDITORS = (
    "http://www.inkscape.org/namespaces/inkscape",
    "http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://creativecommons.org/ns#",
    "http://web.resource.org/cc/",
    "http://purl.org/dc/elements/1.1/",
    "http://www.bohemiancoding.com/sketch/ns",
    "http://www.serif.com/",
    "http://www.vectornator.io",
    "https://boxy-svg.com",
    "http://ns.adobe.com/",
)
_DEEPEST, _MOST_ELEMENTS = 64, 5000
_MOST_REASONS = 20
_LEAST, _MOST = 1e-6, 1e6  # of a side
# What a style can load: anything but a part of the same file. An escape could hide it.
_LOADS = re.compile(
    r"url\s*\((?!\s*[\"']?\s*#)|@import|@font-face|@namespace|@keyframes|image-set|expression\s*\(|javascript:|\\",
    re.IGNORECASE,
)
_PICTURE_INSIDE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*")
_LENGTH = re.compile(r"\s*\+?(\d+(?:\.\d*)?|\.\d+)\s*(px|pt|mm|cm|in|pc|em|ex)?\s*")
_NUMBERS = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?")


class SvgRefused(Exception):
    """The file does more than to draw, or is no SVG file; `reasons` say what it has, all of it."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@frozen
class Drawing:
    """What a file that only draws is like: its size, and whether it has letters, which need a font."""

    width: float
    height: float
    has_letters: bool


def drawing(content: bytes) -> Drawing:
    """Return what is known of a picture that only draws."""
    return _Looking().at(content)


class _Looking:
    """One look at a file, tag by tag; nothing is ever loaded or put together for it."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._count = 0
        self._style: list[str] = []
        self._root: dict[str, str] | None = None
        self._found: dict[str, None] = {}
        self._has_letters = False
        self._repeats = Repeats()

    def at(self, content: bytes) -> Drawing:
        """Go through the file."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._no_doctype
        parser.EntityDeclHandler = self._no_doctype
        parser.ProcessingInstructionHandler = self._no_instruction
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as error:  # or an encoding nobody knows
            raise SvgRefused(*self._found, f"is no SVG file: {error}") from None
        if self._root is None:
            raise SvgRefused(*self._found, "is no SVG file")
        if self._repeats.are_too_many():
            self._note("draws too much again and again, by <use> in <use>: draw it once, as paths")
        size = _size(self._root)
        if size is None:
            self._note("says no size: give <svg> a viewBox")
        if self._found or size is None:
            raise SvgRefused(*self._found)
        return Drawing(*size, has_letters=self._has_letters)

    def _note(self, text: str) -> None:
        """Keep what is wrong, and look on: whoever saves the file anew wants to know all of it."""
        self._found[text] = None
        if len(self._found) >= _MOST_REASONS:
            raise SvgRefused(*self._found)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) >= _DEEPEST:
            why = "has too many elements to be a logo: let a program simplify it"
            raise SvgRefused(*self._found, why)
        if not self._open and (namespace, tag) != (_SVG, "svg"):
            why = "is no SVG file: it does not begin with <svg> of SVG's namespace"
            raise SvgRefused(*self._found, why)
        if self._open[-1:] == ["style"]:
            # A browser puts together the text around it, and we would look at one half.
            self._note(f"has <{tag[:40]}> in <style>, which is not taken: a style is text")
        is_ours = namespace == _SVG
        if not (tag in _ELEMENTS if is_ours else namespace.startswith(_OF_EDITORS)):
            self._note(f"has the element <{tag[:40]}>, which is not taken: a logo only draws")
        if is_ours:
            for key, value in attributes.items():
                for fault in _faults_of(tag, key, value):
                    self._note(fault)
            self._has_letters = self._has_letters or tag == "text"
        if not self._open:
            self._root = attributes
        self._open.append(tag if is_ours else "")
        self._repeats.begin(attributes)

    def _end(self, _name: str) -> None:
        self._repeats.end()
        if self._open.pop() == "style":
            for fault in _faults_of_style("<style>", "".join(self._style)):
                self._note(fault)
            self._style.clear()

    def _text(self, text: str) -> None:
        if self._open[-1:] == ["style"]:
            self._style.append(text)

    def _no_doctype(self, *_: object) -> None:
        # What it may say of the rest is not read, so neither is the rest.
        raise SvgRefused(*self._found, "has a DOCTYPE, which is not taken: take that line out")

    def _no_instruction(self, target: str, _data: str) -> None:
        self._note(f"has the instruction <?{target[:40]}?>, which is not taken: take it out")


def _faults_of(tag: str, name: str, value: str) -> Iterator[str]:
    namespace, _, key = name.rpartition(" ")
    where = f"<{tag[:40]} {key[:40]}>"
    if namespace == _XML and key == "base":
        yield f"has {where}, which is not taken: all of a logo is in its file"
    if namespace and namespace not in {_XLINK, _SVG}:
        return  # of an editor, or `xml:space` and `xml:lang`
    if key.lower().startswith("on"):
        yield f"has {where}, which is not taken: nothing runs in a logo"
    elif key == "href":
        if not (value.strip().startswith("#") or _is_inside(tag, value)):
            yield f"has {where} to something outside: all of a logo is in its file"
    else:
        yield from _faults_of_style(where, value)


def _is_inside(tag: str, value: str) -> bool:
    return tag in {"image", "feImage"} and bool(_PICTURE_INSIDE.fullmatch(value.strip()))


def _faults_of_style(where: str, text: str) -> Iterator[str]:
    found = _LOADS.search(text)
    if found:
        what = found[0].strip()[:20]
        yield f"has {what!r} in {where}, which is not taken: all of a logo is in its file"


def _size(attributes: Mapping[str, str]) -> tuple[float, float] | None:
    """Return the size that the first tag says, as browsers find it: by both lengths, or `viewBox`."""
    found = [_LENGTH.fullmatch(attributes.get(side, "")) for side in ("width", "height")]
    box = [float(number) for number in _NUMBERS.findall(attributes.get("viewBox", ""))]
    wide, high = 0.0, 0.0
    if found[0] and found[1] and found[0][2] == found[1][2]:
        wide, high = float(found[0][1]), float(found[1][1])
    elif len(box) == 4:
        wide, high = box[2:]
    if not _LEAST < wide < _MOST or not _LEAST < high < _MOST:
        return None
    return wide, high

"""The operator's brand as pages and mails ask for it: a name, pictures, colours, links and words.

It is made once, at the start, where the section `branding` says anything; what cannot be used of it is
said then.
"""

import re
from collections.abc import Iterator, Mapping

import attrs
from markupsafe import Markup, escape

from synapse_nextgen_auth.config.branding import Branding
from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.oauth.languages import Wording, lookup
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.brand import pictures, roles
from synapse_nextgen_auth.web.brand.pictures import Picture, PictureRefused
from synapse_nextgen_auth.web.brand.roles import Palette
from synapse_nextgen_auth.web.templates import shipped
from synapse_nextgen_auth.web.translations import ENGLISH, Languages, present

# As high as the line that it stands in, and at most as wide as half a phone.
_LOGO = (160, 28)
# What the first page has left of 40 kB.
_LIGHT_BYTES = 8 * 1024
_SQUARE = 1.1  # how much longer one side of an icon may be
_OUR_COLOURS = re.compile(rb"(#2a56c6)|#fff\b")  # of our key, and its ground
_FILES = ("logo", "logo_dark", "favicon")
_ADDRESS = re.compile(r"https://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


@frozen
class Shown:
    """A picture in a page: the name of its file, and the size that it is shown in."""

    name: str
    picture: Picture
    width: int
    height: int

    @property
    def is_heavy(self) -> bool:
        """Whether it makes the sign-in page slow on a bad line."""
        return len(self.picture.content) > _LIGHT_BYTES

    @property
    def content_type(self) -> str:
        """Its type."""
        return self.picture.content_type


@frozen
class Words:
    """A text of the operator's, and its language, which is empty where it is that of the page."""

    text: str
    lang: str

    @property
    def paragraphs(self) -> tuple[Markup, ...]:
        """The text as HTML: escaped, with its lines, and what is an address in it as a link (C198)."""
        return tuple(map(_as_html, re.split(r"\n\s*\n", self.text)))


@attrs.frozen(eq=False)
class Brand:
    """The brand. Its texts are asked for while a page or mail is made, and are in its language."""

    options: Branding
    default: str = ENGLISH
    pictures: Mapping[str, Shown] = attrs.field(factory=dict)
    palette: Palette | None = None

    @property
    def shows_name(self) -> bool:
        """Whether the name stands beside the logo."""
        return self.options.show_name or self.logo is None

    @property
    def logo(self) -> Shown | None:
        """The picture above a page."""
        return self.pictures.get("logo")

    @property
    def logo_dark(self) -> Shown | None:
        """The same for dark."""
        return self.pictures.get("logo_dark")

    @property
    def favicon(self) -> Shown | None:
        """The icon of the tab: a logo of the same shape serves, too."""
        logo = self.logo if self.logo and _is_square(self.logo.picture) else None
        return self.pictures.get("favicon") or logo

    def known_as(self, server_name: str) -> str:
        """Return what the service is called."""
        name = self.options.name
        return server_name if name is None else self._words(name).text

    def links(self) -> tuple[tuple[str, str], ...]:
        """Return what there is of the operator's elsewhere: its kind, and its address."""
        known = self.options.links.urls if self.options.links else ()
        return tuple((kind, self._words(url).text) for kind, url in known)

    def welcome(self, page: str) -> Words | None:
        """Return the operator's words for a page."""
        texts = dict(self.options.welcome.texts) if self.options.welcome else {}
        return self._words(texts[page]) if page in texts else None

    def colour(self, scheme: str, role: str) -> str | None:
        """Return the colour of a role, where it is the operator's."""
        return self.palette.roles[scheme].get(role) if self.palette else None

    def dressed(self, name: str, content: bytes) -> bytes:
        """Return a file of ours in the operator's colours."""
        if self.palette is None:
            return content
        if name == "style.css":
            return content + self.palette.sheet.encode()
        button, ink = (self.colour("light", role) for role in ("button", "on-button"))
        if name == "icon.svg" and button and ink:
            return _OUR_COLOURS.sub(lambda each: (button if each[1] else ink).encode(), content)
        return content

    def _words(self, wording: Wording) -> Words:
        """Return a text for the reader of what is being made, or for those of whom nothing is known."""
        tag, text = wording.chosen((present().tag, self.default, ENGLISH))
        return Words(text, tag if tag and tag != present().tag else "")


def _as_html(paragraph: str) -> Markup:
    """Return one paragraph."""
    found, at = Markup(""), 0
    for address in _ADDRESS.finditer(paragraph):
        url = escape(address[0])
        found += _lines(paragraph[at : address.start()])
        found += Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(
            url
        )
        at = address.end()
    return found + _lines(paragraph[at:])


def _lines(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


@frozen
class Read:
    """A brand, what keeps it from being used, and what is used otherwise than it was written."""

    brand: Brand
    problems: list[str]
    warnings: list[str]


def read(options: Branding, *, default: str = ENGLISH) -> Read:
    """Read an operator's brand: its files, and whether its colours can be read.

    `default` is the language of people of whom no other is known.
    """
    problems: list[str] = []
    found = {}
    paths = (options.logo, options.logo_dark, options.favicon)
    for name, path in zip(_FILES, paths, strict=True):
        if path is None:
            continue
        try:
            picture = pictures.read(path)
        except PictureRefused as refused:
            problems += (f"branding.{name}: {why}" for why in refused.reasons)
            continue
        problems += (f"branding.{name}: {path} {why}" for why in _unfit(name, picture))
        # No file of `templates` is called so.
        found[name] = Shown(f"_{name}.{picture.suffix}", picture, *_size(name, picture))
    problems += _missing(options)
    palette = None
    if options.accent or options.background:
        palette = roles.of(options.accent, options.background)
    faults = palette.faults if palette else ()
    warnings = [
        *(
            _heavy(f"branding.{name}", each.picture)
            for name, each in found.items()
            if each.is_heavy
        ),
        *(
            f"branding.{name}: the file has <text>, which looks otherwise on each device, as pictures"
            " load no fonts: make paths of it (object to path)"
            for name, each in found.items()
            if each.picture.has_letters
        ),
        *(f"branding.{fault.option}: {fault.text}" for fault in faults),
        *_for_nobody(options),
    ]
    return Read(Brand(options, default, found, palette), problems, warnings)


def _for_nobody(options: Branding) -> Iterator[str]:
    """Yield each text that is in a language which no page is in."""
    tags = Languages(shipped() / "languages").tags
    found: list[tuple[str, Wording]] = [("name", options.name)] if options.name else []
    found += [(f"links.{each}", url) for each, url in (options.links.urls if options.links else ())]
    texts = options.welcome.texts if options.welcome else ()
    found += [(f"welcome.{each}", text) for each, text in texts]
    for path, wording in found:
        for tag, _ in wording.by_language:
            if tag and not any(lookup([tag], [each]) for each in tags):
                near = lookup(tags, [tag]) or likely(tag.lower(), list(tags))
                hint = f"did you mean {near}?" if near else f"there are in {', '.join(tags)}"
                yield f"branding.{path}.{tag}: there are no pages in {quoted(tag)}; {hint}"


def faults_of(options: object) -> list[tuple[str, str]]:
    """Return what is wrong with the files that a configuration names, whatever else is wrong with it.

    The rest of such a configuration is not read; so all of it is told at once.
    """
    section = options.get("branding") if isinstance(options, Mapping) else None
    named = section if isinstance(section, Mapping) else {}
    found = []
    for name in _FILES:
        try:
            path = named.get(name)
            if isinstance(path, str) and path.strip():
                picture = pictures.read(path)
                found += [(f"branding.{name}", f"{path} {why}") for why in _unfit(name, picture)]
        except PictureRefused as refused:
            found += [(f"branding.{name}", why) for why in refused.reasons]
    return found


def _size(name: str, picture: Picture) -> tuple[int, int]:
    return (32, 32) if name == "favicon" else picture.shown_in(*_LOGO)


def _heavy(option: str, picture: Picture) -> str:
    return (
        f"{option}: the file has {len(picture.content) // 1024} kB. With one of at most"
        f" {_LIGHT_BYTES // 1024} kB the sign-in page stays below 40 kB, and comes quickly everywhere."
    )


def _is_square(picture: Picture) -> bool:
    return 1 / _SQUARE <= picture.width / picture.height <= _SQUARE


def _unfit(name: str, picture: Picture) -> Iterator[str]:
    if name == "favicon" and not _is_square(picture):
        yield "is not square, and browsers show it as a small square"


def _missing(options: Branding) -> Iterator[str]:
    if options.logo is None and options.logo_dark is not None:
        yield "branding.logo_dark: set logo, too, which is shown where it is not dark"
    if options.logo is None and not options.show_name:
        yield "branding.show_name: set logo, too, or nothing says whose pages these are"

"""Pages of ours, rendered and read back as a browser would."""

import enum
from copy import copy
from html.parser import HTMLParser
from pathlib import Path

import attrs

from synapse_nextgen_auth.accounts.ways import Field, Way
from synapse_nextgen_auth.web.templates import Templates

BASE = "/_synapse/client/auth"
DIRECTORY = Path(__file__).resolve().parent.parent.parent / "templates"
TEMPLATES = Templates(BASE)
STYLE = (DIRECTORY / "static" / "style.css").read_text()


def unused_templates():
    """Return `TEMPLATES` as they were before any page was made; they are not compiled again."""
    templates = copy(TEMPLATES)
    templates._common = {}
    return templates


class Read(HTMLParser):
    """What a browser would make of a page."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "source"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements = []  # (tag, attributes)
        self.texts = []  # (path of open tags, text)
        self.open = []
        self.feet = []  # those in the foot, which every page has alike
        self.declared = None
        self.within = False  # a word
        self.feed(html)
        self.close()

    def handle_decl(self, decl):
        """Keep the doctype."""
        self.declared = decl

    def handle_starttag(self, tag, attrs):
        """Keep the tag with its attributes; `<wbr>` is a place in a word and no more."""
        if tag == "wbr":
            self.within = True
            return
        assert len(attrs) == len(dict(attrs)), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if "footer" in self.open:
            self.feet.append(self.elements[-1][1])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Refuse a tag that closes something else."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep the text with the tags it stands in."""
        before = self.texts.pop()[1] if self.within else ""
        self.texts.append((tuple(self.open), before + data))
        self.within = False

    def all(self, *tags):
        """Return the attributes of each such element, but for those in the foot of the page."""
        return [
            found
            for tag, found in self.elements
            if tag in tags and not any(found is each for each in self.feet)
        ]

    def text(self, inside="main"):
        """Return what a person reads inside this tag."""
        words = " ".join(text for path, text in self.texts if inside in path)
        return " ".join(words.split())

    @property
    def shape(self):
        """Tags and the names of their attributes: what no text may change."""
        return [(tag, sorted(found)) for tag, found in self.elements]


def read(page):
    """Render a page and read it back."""
    return Read(TEMPLATES.render(page))


def every_field(page, change):
    """Replace every text in `page`, however deep, by what `change` makes of its name and value."""
    changed = {}
    for field in attrs.fields(type(page)):
        value = getattr(page, field.name)
        if attrs.has(type(value)):
            changed[field.name] = every_field(value, change)
        elif isinstance(value, tuple) and value and isinstance(value[0], Way | Field):
            changed[field.name] = tuple(every_field(one, change) for one in value)
        elif field.name == "fields":
            changed[field.name] = tuple((change("name", a), change("value", b)) for a, b in value)
        elif isinstance(value, tuple) and field.name != "permissions":  # whose words they choose
            changed[field.name] = tuple(
                one
                if isinstance(one, enum.Enum)
                else every_field(one, change)
                if attrs.has(type(one))
                else change(field.name, one)
                for one in value
            )
        elif isinstance(value, str) and not isinstance(value, enum.Enum) and value:
            changed[field.name] = change(field.name, value)
    return attrs.evolve(page, **changed)


def wording(pages, inside="main"):
    """Return what each page says; none says nothing."""
    words = [read(page).text(inside) for page in pages]
    assert all(words)
    return words


def named(html, name):
    """Return the attributes of the field of this name."""
    return next(field for field in html.all("input") if field["name"] == name)


def decisions(html):
    """Return what the buttons decide, in order."""
    return [button.get("value") for button in html.all("button")]

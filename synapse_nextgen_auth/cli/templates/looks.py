"""What a browser makes of a page: its forms, links, scripts and what it loads."""

from collections.abc import Iterator
from html.parser import HTMLParser

from synapse_nextgen_auth.records import frozen

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_RUNS = frozenset({"object", "embed", "iframe", "base"})


@frozen
class Looks:
    """The facts of a page that no look of it may change.

    `fields` are the names of what its forms send, with the values of hidden ones, `choices` what their
    buttons decide. `faults` are what browsers or readers would stumble over.
    """

    fields: frozenset[tuple[str, str | None]]
    choices: frozenset[tuple[str, str]]
    scripts: frozenset[str]
    faults: tuple[str, ...]


def looks_of(html: str, *, static: str, loads: tuple[str, ...] = ()) -> Looks:
    """Read a page; it may load what lies under `static`, what is relative, and what is named."""
    read = _Read(static, loads)
    read.feed(html)
    read.close()
    return Looks(
        frozenset(read.fields), frozenset(read.choices), frozenset(read.scripts), tuple(read.said())
    )


class _Read(HTMLParser):
    """Collects them."""

    def __init__(self, static: str, loads: tuple[str, ...]) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: set[tuple[str, str | None]] = set()
        self.choices: set[tuple[str, str]] = set()
        self.scripts: set[str] = set()
        self._static = static
        self._loads = loads
        self._faults: list[str] = []
        self._open: list[str] = []
        self._ids: set[str] = set()
        self._labels: set[str] = set()
        self._labelled: list[tuple[str, str]] = []
        self._titles: list[str] = []
        self._headings = 0
        self._root: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element."""
        found = {name: value or "" for name, value in attrs}
        self._look_at_all(tag, found)
        if tag == "html":
            self._root = found
        elif tag == "h1":
            self._headings += 1
        elif tag == "a":
            self._look_at_link(found)
        elif tag == "label":
            self._labels.add(found.get("for", ""))
        elif tag == "script":
            self._look_at_script(found)
        elif tag in {"input", "select", "textarea"}:
            self._look_at_field(tag, found)
        elif tag == "button" and "name" in found:
            self.choices.add((found["name"], found.get("value", "")))
        elif tag == "form" and found.get("role") != "search" and found.get("method") != "post":
            self._faults.append('a form has no method="post"')
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element, and whatever was left open in it."""
        if tag in self._open:
            while self._open and self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Keep the title; what stands in a script or a style would run or count."""
        if self._open[-1:] == ["title"] and "svg" not in self._open:
            self._titles.append(data)
        elif self._open[-1:] == ["script"] and data.strip():
            self._faults.append(
                "a script stands in the page: browsers run those of static files alone"
            )

    def said(self) -> Iterator[str]:
        """Yield what is wrong."""
        yield from dict.fromkeys(self._faults)
        if not self._root.get("lang") or not self._root.get("dir"):
            yield 'the page does not say its language: <html lang="{{ lang }}" dir="{{ dir }}">'
        if not "".join(self._titles).strip(" \n·"):
            yield "the page has no title"
        if self._headings != 1:
            yield f"the page has {self._headings} headings h1, and one is right"
        for its_id, name in self._labelled:
            if its_id not in self._labels:
                yield f"the field {name} has no label"

    def _look_at_all(self, tag: str, found: dict[str, str]) -> None:
        if "id" in found:
            if found["id"] in self._ids:
                self._faults.append(f"the id {found['id']} is there twice")
            self._ids.add(found["id"])
        if tag == "style" or "style" in found:
            self._faults.append("a style stands in the page: browsers take static files alone")
        if tag in _RUNS:
            self._faults.append(f"there is an element {tag}, which no page may have")
        for name in found:
            if name.startswith("on"):
                self._faults.append(f"{tag} has {name}: browsers run no script in a page")
        if tag in {"img", "script", "source", "video", "audio"} and "src" in found:
            self._look_at_load(found["src"])
        if tag == "link" and "href" in found:
            self._look_at_load(found["href"])
        if tag == "img" and "alt" not in found:
            self._faults.append("a picture has no alt, which may be empty")

    def _look_at_load(self, url: str) -> None:
        is_ours = url.startswith((self._static, "data:")) or url in self._loads
        if not is_ours and (url.startswith(("/", "\\")) or ":" in url.partition("?")[0]):
            self._faults.append(f"{url} is loaded, and pages load static files alone")

    def _look_at_link(self, found: dict[str, str]) -> None:
        href = found.get("href", "#")
        says_nothing = "noreferrer" in found.get("rel", "").split()
        if not href.startswith("#") and not (says_nothing or "referrerpolicy" in found):
            self._faults.append(f'the link to {href[:60]} has no rel="noreferrer"')

    def _look_at_script(self, found: dict[str, str]) -> None:
        if "src" in found:
            self.scripts.add(found["src"].rpartition("/")[2])

    def _look_at_field(self, tag: str, found: dict[str, str]) -> None:
        name, kind = found.get("name"), found.get("type", "text") if tag == "input" else tag
        if kind == "hidden":
            if name is not None:
                self.fields.add((name, found.get("value", "")))
            return
        if name is not None:
            self.fields.add((name, None))
        if (
            kind not in {"submit", "button"}
            and "label" not in self._open
            and "aria-label" not in found
        ):
            self._labelled.append((found.get("id", ""), name or ""))

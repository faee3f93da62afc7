"""Reading our own documentation: the pages, and what a test can check in them."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def pages():
    """Return every Markdown page of the project, the ones at the top first."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def name(page):
    """Return how to call a page in a test: its path from the top."""
    return page.relative_to(ROOT).as_posix()


def fences(page):
    """Return the fenced blocks of a page, each with its language."""
    found = _FENCE.findall(page.read_text("utf-8"))
    return [(language, textwrap.dedent(text)) for language, text in found]


def blocks(page, language):
    """Return the fenced blocks of a language."""
    return [text for found, text in fences(page) if found == language]


def prose(page):
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def links(page):
    """Return the targets of all links outside of code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", lambda code: "`" * len(code[0]), prose(page)))


def anchors(page):
    """Return the fragments that headings can be reached by, as GitHub makes them."""
    found = []
    for heading in _HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        again = sum(other.rpartition("-")[0] == slug or other == slug for other in found)
        found.append(f"{slug}-{again}" if slug in found else slug)
    return found


def code(page):
    """Return what stands between backticks in the prose."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def section(page, heading):
    """Return the text under a heading, up to the next one of the same rank or above."""
    lines = iter(page.read_text("utf-8").splitlines())
    rank = next(len(line) - len(line.lstrip("#")) for line in lines if _is(line, heading))
    kept = []
    for line in lines:
        if re.match(rf"#{{1,{rank}}} ", line):
            break
        kept.append(line)
    return "\n".join(kept)


def rows(text):
    """Return the rows of the tables in a text as lists of cells, headings and rulers left out."""
    found = []
    lines = text.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        is_row = line.startswith("|") and not set(line) <= set("|-: ")
        if is_row and not (below.startswith("|") and set(below) <= set("|-: ")):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            found.append([cell.strip().replace("\\|", "|") for cell in cells])
    return found


def _is(line, heading):
    return line.startswith("#") and line.lstrip("#").strip() == heading

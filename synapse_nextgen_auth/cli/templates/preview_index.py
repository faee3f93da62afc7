"""The pages of the preview itself: what there is to look at, and what is wrong."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import quote

from markupsafe import Markup

_LEADS_AWAY = re.compile(
    r'<meta http-equiv="refresh"[^>]*>'
    r'|<script src="[^"]*/(?:form_post|way_back)\.js"[^>]*></script>'
)
_DOCUMENT = Markup(
    '<!doctype html>\n<html lang="en" dir="ltr"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    '<link rel="icon" href="/icon"><title>{title} · Preview</title>{sheets}</head>'
    '<body><main class="card"><div class="head"><h1>{title}</h1></div>{body}</main></body></html>\n'
)


def html(  # noqa: PLR0913 (what there is to show)
    *,
    sheets: Sequence[str],
    languages: Sequence[str],
    lang: str,
    pages: Mapping[str, Sequence[str]],
    mails: Mapping[str, int],
    wrong: Sequence[str],
    own: Collection[str],
) -> str:
    """Return the list of everything, each with its states, in one language."""
    parts = [
        _paragraph(
            "Every page and mail, with example data. Nothing that you do here goes anywhere."
        )
    ]
    if wrong:
        parts.append(_heading("What is wrong"))
        parts += [Markup("<p>{}</p>").format(each) for each in wrong]
    parts.append(_heading("Language"))
    parts.append(_line(_link(f"/?lang={tag}", tag, is_here=tag == lang) for tag in languages))
    parts.append(_heading("Components"))
    parts.append(_line([_link("/kit", "Every component, with its rules")]))
    parts.append(_heading("Pages"))
    for name, states in pages.items():
        short = name.removesuffix(".html")
        links = [_link(f"/{short}/{quote(state)}?lang={lang}", state) for state in states]
        parts.append(_named(name, links, is_own=name in own))
    parts.append(_heading("Mails"))
    for name, count in mails.items():
        short = name.removesuffix(".html")
        links = []
        for n in range(count):
            links.append(_link(f"/{short}/{n}?lang={lang}", str(n + 1)))
            links.append(_link(f"/{short}/{n}?lang={lang}&as=text", f"{n + 1} as text"))
        parts.append(_named(name, links, is_own=name in own))
    return _document("Your pages", Markup("").join(parts), sheets)


def message(title: str, words: str, *, is_code: bool = False) -> str:
    """Return a page that says something, and leads back."""
    said = Markup("<pre>{}</pre>").format(words) if is_code else _paragraph(words)
    return _document(title, said + Markup("<p>{}</p>").format(_link("/", "Every page")), ())


def staying(page: str) -> str:
    """Return a page without what does nothing but lead away from it."""
    return _LEADS_AWAY.sub("", page)


def _document(title: str, body: Markup, sheets: Sequence[str]) -> str:
    links = Markup("").join(
        Markup('<link rel="stylesheet" href="{}">').format(each) for each in sheets
    )
    return _DOCUMENT.format(title=title, sheets=links, body=body)


def _heading(text: str) -> Markup:
    return Markup("<h2>{}</h2>").format(text)


def _paragraph(text: str) -> Markup:
    return Markup('<p class="muted">{}</p>').format(text)


def _named(name: str, links: Sequence[Markup], *, is_own: bool) -> Markup:
    yours = " (yours)" if is_own else ""
    line = Markup("<p><strong>{}</strong>{}<br>{}</p>")
    return line.format(name, yours, Markup(" · ").join(links))


def _line(links: Iterable[Markup]) -> Markup:
    return Markup("<p>{}</p>").format(Markup(" · ").join(links))


def _link(url: str, words: str, *, is_here: bool = False) -> Markup:
    if is_here:
        return Markup('<a href="{}" aria-current="true"><strong>{}</strong></a>').format(url, words)
    return Markup('<a href="{}">{}</a>').format(url, words)

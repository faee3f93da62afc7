"""Every sample of every page, each in one piece for a browser that has no server to ask."""

import json
import re
from base64 import b64encode

from support.pages import BASE, STYLE, TEMPLATES
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.pages.samples import samples_of

SAMPLES = {
    f"{page.__name__} {name}": sample for page in PAGES for name, sample in samples_of(page).items()
}
_SHEET = re.compile(r'<link rel="stylesheet"[^>]*>')
_SCRIPT = re.compile(r"<script[^>]*></script>")
_ICON = re.compile(r'src="(?:(?:provider-)?icon|account-avatar)[^"]*"')
_LOGO = "<svg xmlns='http://www.w3.org/2000/svg'><rect width='99' height='99' fill='purple'/></svg>"
_ONWARD = re.compile(r'<meta http-equiv="refresh"[^>]*>')
_PICTURE = re.compile(rf'"{BASE}/static/([0-9a-f]+/[\w-]+\.svg)"')


def whole(name, lang="en"):
    """Return a sample with its stylesheet and pictures inside, and without what would lead away."""
    html = _ONWARD.sub("", TEMPLATES.render_own(SAMPLES[name], lang=lang))
    html = _SCRIPT.sub("", _SHEET.sub(lambda _: f"<style>{STYLE}</style>", html))
    html = _ICON.sub(f'src="data:image/svg+xml,{_LOGO}"', html)
    return _PICTURE.sub(_inside, html)


def _inside(found):
    file = TEMPLATES.static_file(found[1])
    return f'"data:{file.content_type};base64,{b64encode(file.content).decode()}"'


# One body after the other in one document: a stylesheet, or axe, takes longer to read than a page.
TURN_TO = """(html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const each of ["lang", "dir"]) document.documentElement[each] = page.documentElement[each];
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
}"""


def look_at_each(page, look, pages, argument=None):
    """Return what a function of JavaScript lists of each page, by its name, where that is anything.

    `pages` are pairs of a name and HTML; the function is called with `argument`, and may be async.
    """
    return page.evaluate(
        f"""async ([pages, argument]) => {{
          const look = {look}, turnTo = {TURN_TO}, found = {{}};
          for (const [name, html] of JSON.parse(pages)) {{
            turnTo(html);
            const listed = await look(argument);
            if (listed.length) found[name] = listed;
          }}
          return found;
        }}""",
        # As one text: whatever else it is handed, Playwright takes apart.
        [json.dumps([list(each) for each in pages]), argument],
    )

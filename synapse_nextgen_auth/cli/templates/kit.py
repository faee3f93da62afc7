"""Every component in every state on one page, with the rules beside it (docs/development/design.md)."""

import re
from pathlib import Path

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import translations
from synapse_nextgen_auth.web.pages.content import BRANDS, ProviderCard
from synapse_nextgen_auth.web.pages.samples import LONG
from synapse_nextgen_auth.web.pages.sign_in.samples import SIGN_IN
from synapse_nextgen_auth.web.templates import Templates, shipped

_SOURCE = Path(__file__).with_name("kit.html")
_ICON = re.compile(r'^  "([a-z]+)": "[mM]', re.MULTILINE)


@frozen
class _Step:
    number: int = 2
    of: int = 4


def html(templates: Templates, server_name: str | None) -> str:
    """Return the page, made with these templates; in English, as its readers are developers."""
    language = templates.languages.get(translations.ENGLISH)
    page = templates.reader().from_string(_SOURCE.read_text())
    with translations.speaking(language):
        return page.render(
            lang=language.tag,
            dir=language.dir,
            language_name=language.name,
            minutes_left=None,
            server_name=server_name or "example.org",
            user_id="@alice:example.org",
            client=SIGN_IN.client,
            icons=icons(),
            long=LONG,
            providers=[
                ProviderCard(f"oidc-{each}", each.capitalize(), brand=each)
                for each in (*BRANDS, "example")
            ],
            step=_Step(),
        )


def icons() -> list[str]:
    """Return what the pictures are called that are drawn in pages."""
    return _ICON.findall((shipped() / "components" / "notice.html").read_text())

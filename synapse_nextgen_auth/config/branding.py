"""The section `branding`. Its values are read by `brand.py`, which nobody imports who has none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config.kinds.kind import Optional
from synapse_nextgen_auth.config.kinds.words import Switch, Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.config.problems import Problems
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.config import brand
    from synapse_nextgen_auth.config.brand import Links, Shades, Welcome
    from synapse_nextgen_auth.oauth.languages import Wording
else:
    brand = late.file("config.brand")


@frozen
class Branded:
    """A kind whose values `brand.py` reads and shows, each by a function for its `name`."""

    name: str
    takes: str

    def read(self, raw: object, path: str, problems: Problems) -> Any:
        """Return the value; what is wrong with it is told at the paths below."""
        return brand.READ[self.name](raw, path, problems)

    def show(self, value: Any, written: object) -> str:  # noqa: ARG002 - like every kind
        """Return it on one line."""
        return brand.shown(value)

    def write(self, value: Any) -> str:
        """Return it on one line."""
        return brand.shown(value)


@frozen
class Branding:
    """Whose pages and mails they seem to be. See [branding](../setup/branding.md)."""

    name: "Wording | None" = option(
        Optional(Branded("name", "a text, or texts by language"), "the server name"),
        default=None,
        about="What the service is called on pages and in mails, instead of the server name.",
        example="""\
en: Example Chat
de: Beispiel-Chat""",
        label="name",
    )
    show_name: bool = option(
        Switch("shown", "only in the logo"),
        default=True,
        about="Whether the name stands beside the logo. `false` is for a logo that has the name in it:"
        " screen readers are told the name, still.",
        example="false",
        label="name beside the logo",
    )
    logo: str | None = option(
        Optional(Text(), "our key"),
        default=None,
        about="An SVG or PNG file of at most 24 kB, shown above every page 28 pixels high and at most"
        " 160 wide. It is [looked at when the server starts](../setup/branding.md#the-logo).",
        example="/etc/matrix-synapse/brand/logo.svg",
        label="logo",
    )
    logo_dark: str | None = option(
        Optional(Text(), "the same"),
        default=None,
        about="The same for whoever has set the device to dark.",
        example="/etc/matrix-synapse/brand/logo-dark.svg",
        label="logo, dark",
    )
    favicon: str | None = option(
        Optional(Text(), "our key"),
        default=None,
        about="A square SVG or PNG file of at most 24 kB that browsers show beside the title of a page."
        " Not set: the logo, if it is square, and else our key, in your colour.",
        example="/etc/matrix-synapse/brand/icon.svg",
        label="icon of the tab",
    )
    accent: "Shades | None" = option(
        Optional(Branded("colour", "a colour, or `light` and `dark`"), "our blue"),
        default=None,
        about="The colour of buttons, links and what is chosen. From one colour the others are made"
        " so that everything can be read, for dark, too;"
        " [a warning says](../setup/branding.md#colours) where yours could not be used as it is.",
        example='"#7a3e9d"',
        label="accent colour",
    )
    background: "Shades | None" = option(
        Optional(Branded("colour", "a colour, or `light` and `dark`"), "our grey"),
        default=None,
        about="The colour of pages behind what is on them. One colour is for `light`."
        " One on which texts could not be read is moved until they can.",
        example="""\
light: "#fbf7f0"
dark: "#14100c\"""",
        label="background colour",
    )
    links: "Links | None" = option(
        Optional(Branded("links", "addresses by name"), "none"),
        default=None,
        about="What stands at the foot of every page and mail: `imprint`, `privacy`, `terms`, `support`"
        " and `status`, each an `https:` or `mailto:` address, or several by language.",
        example="""\
imprint: https://example.com/imprint
privacy:
  en: https://example.com/privacy
  de: https://example.com/de/datenschutz
support: mailto:support@example.com""",
        label="links",
    )
    welcome: "Welcome | None" = option(
        Optional(Branded("welcome", "texts by page"), "none"),
        default=None,
        about="A few words of yours for a page: `home`, `sign_in`, `sign_up`, `recovery`, `consent`,"
        " `device` and `account`, each a text, or texts by language. An empty line begins a"
        " paragraph, and an `https:` address in it is a link.",
        example="""\
sign_in:
  en: Students use the name that they have at the library.
  de: Studierende nehmen den Namen, den sie in der Bibliothek haben.""",
        label="words of your own",
    )

    @property
    def is_set(self) -> bool:
        """Whether there is anything that pages look different for."""
        return self != _NONE


_NONE = Branding()
NO_COLOUR = (
    'expected a colour in quotes, such as "#2a56c6", got nothing: YAML takes what follows a bare # for'
    " a remark"
)


def check_colours(written: object, problems: Problems) -> None:
    """Say which colour has no quotes: YAML takes what comes after a bare # for a remark."""
    for name in ("accent", "background"):
        if isinstance(written, Mapping) and name in written and written[name] is None:
            problems.say(f"branding.{name}", NO_COLOUR)

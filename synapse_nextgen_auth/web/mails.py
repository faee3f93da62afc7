"""Mails in words: each is written once, and shown as plain text and as HTML.

A template of `emails/` has the blocks `subject` and `body`. It names the parts of a mail, its `kit`,
which are there twice: so no sentence is written twice, and no text says what the HTML does not.
"""

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from synapse_nextgen_auth.accounts.mail.letters import MAILS, Letter, Mail
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.mail import WrittenMail
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import formats, mail_texts, translations
from synapse_nextgen_auth.web.sources import Sources
from synapse_nextgen_auth.web.templates import names_of
from synapse_nextgen_auth.web.translations import Languages

if TYPE_CHECKING:
    from synapse_nextgen_auth.web.brand.brand import Brand

FOOT = "foot"
ASKED = "asked"  # what two of them say
_GAPS = re.compile(r"\n{3,}")


@frozen
class _Format:
    """One of the two: its templates, and how what they make goes on into another one."""

    environment: Environment
    kit: str
    quote: type[str]
    has_own: bool

    @classmethod
    def of(cls, sources: Sources, kit: str, *, escapes: bool, brand: "Brand | None") -> "_Format":
        """Return templates that are compiled when they are wanted."""
        environment = Environment(
            loader=sources,
            autoescape=escapes,  # noqa: S701 (plain text has nothing to escape)
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        if sources.has_own:
            environment.template_class = translations.Afresh
        translations.install(environment)
        formats.install(environment)
        environment.globals |= names_of(brand)
        return cls(environment, kit, Markup if escapes else str, sources.has_own)

    @property
    def parts(self) -> Any:
        """The parts of a mail, in this format."""
        return self.environment.get_template(self.kit).module

    def block(self, name: str, block: str, says: dict[str, object]) -> str:
        """Return what a block of a template says."""
        template = self.environment.get_template(f"{name}.html")
        context = template.new_context({**says, "kit": self.parts})
        try:
            if self.has_own:
                # Those of what it extends are known to Jinja once it was made.
                for _ in template.root_render_func(context):
                    pass
            if block not in context.blocks:
                raise BlockMissing(template.filename or name, block)
            return self.quote("".join(context.blocks[block][0](context)))
        except BlockMissing:
            raise
        except Exception:  # noqa: BLE001 (raised again: it names the line of the template now)
            self.environment.handle_exception()


class BlockMissing(Exception):
    """A template does not say all of a mail."""

    def __init__(self, path: str, block: str) -> None:
        super().__init__(f"{path}: there is no block {block}")
        self.path, self.block = path, block


class Mails:
    """Every mail there is, in words, made of what was read of `mail_texts`."""

    def __init__(
        self,
        sources: Sources,
        languages: Languages,
        *,
        server_name: str,
        brand: "Brand | None" = None,
    ) -> None:
        self._sources = sources
        self._languages = languages
        self._server_name = server_name
        self._brand = brand

    @classmethod
    def of(cls, config: Config, languages: Languages, *, server_name: str) -> "Mails":
        """Return those of a configuration, read now."""
        return cls(mail_texts.of(config), languages, server_name=server_name)

    def compile(self) -> None:
        """Compile every template now: no mail finds one that is wrong."""
        for format_ in (self._html, self._text):
            for name in (*MAILS, FOOT, ASKED):
                format_.environment.get_template(f"{name}.html")
            format_.environment.get_template(format_.kit)

    def let_absent_be(self, undefined: type[StrictUndefined]) -> None:
        """Let whatever a template asks for and is not there be one of these."""
        for format_ in (self._html, self._text):
            format_.environment.undefined = undefined

    def write(self, letter: Letter) -> WrittenMail:
        """Write a letter in the language of its reader."""
        language, mail = self._languages.get(letter.lang), letter.mail
        with translations.speaking(language, letter.time_zone, plain=True):
            # One line, whatever is in it: a header ends with its line (C257).
            subject = " ".join(self._text.block(mail.kind, "subject", self._says(mail)).split())
            shown = {"lang": language.tag, "dir": language.dir, "subject": subject}
            text = self._made(self._text, mail, shown)
            said = self._text.block(mail.kind, "body", self._says(mail))
        with translations.speaking(language, letter.time_zone):
            html = self._made(self._html, mail, shown)
        return WrittenMail(subject, _tidy(text) + "\n", html=html.strip() + "\n", said=_tidy(said))

    @cached_property
    def _html(self) -> _Format:
        return _Format.of(self._sources, "kit.html", escapes=True, brand=self._brand)

    @cached_property
    def _text(self) -> _Format:
        return _Format.of(self._sources, "kit.txt", escapes=False, brand=self._brand)

    def _made(self, format_: _Format, mail: Mail, shown: dict[str, str]) -> str:
        says = self._says(mail)
        body = format_.block(mail.kind, "body", says)
        foot = format_.block(FOOT, "body", says).strip()
        name = self._brand.known_as(self._server_name) if self._brand else self._server_name
        return str(format_.parts.document(server_name=name, body=body, foot=foot, **shown))

    def _says(self, mail: Mail) -> dict[str, object]:
        # The language is for templates of an operator, whose sentences no catalogue of ours has.
        lang = translations.present().tag
        return {**attrs.asdict(mail), "server_name": self._server_name, "lang": lang}


def _tidy(text: str) -> str:
    return _GAPS.sub("\n\n", text).strip()

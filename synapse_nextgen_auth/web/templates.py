"""Templates: how a page becomes HTML, and the files it loads."""

import errno
import hashlib
import logging
import os
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from jinja2 import Environment, StrictUndefined, Template, meta
from markupsafe import escape

from synapse_nextgen_auth import late, lean
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.web import formats, heap, translations
from synapse_nextgen_auth.web.pages.content import BRANDS, PageContent
from synapse_nextgen_auth.web.pages.names import TEMPLATES
from synapse_nextgen_auth.web.sources import Sources
from synapse_nextgen_auth.web.translations import ENGLISH, UTC, Afresh, Language, Languages

if TYPE_CHECKING:
    from synapse_nextgen_auth.web.brand.brand import Brand
    from synapse_nextgen_auth.web.own_templates import files as own_files
else:
    own_files = late.file("web.own_templates.files")

logger = logging.getLogger(__name__)

# In a wheel the templates lie in the package, in a checkout (or `pip install -e`) beside it.
_PACKAGE = Path(__file__).resolve().parent.parent
_CANDIDATES = (_PACKAGE / "templates", _PACKAGE.parent / "templates")

STATIC_FILES = {
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "form_post.js": "text/javascript; charset=utf-8",
    "way_back.js": "text/javascript; charset=utf-8",
    "approved.js": "text/javascript; charset=utf-8",
    "hold.js": "text/javascript; charset=utf-8",
    "sign_up.js": "text/javascript; charset=utf-8",
    "avatar.js": "text/javascript; charset=utf-8",
    "passkey.js": "text/javascript; charset=utf-8",
    "proof.js": "text/javascript; charset=utf-8",
    "proof_worker.js": "text/javascript; charset=utf-8",
    **{f"brand-{name}.svg": "image/svg+xml" for name in BRANDS},
}

# Files that a page needs together are one to load: pages with passkeys hold back clicks, too.
TOGETHER = {"passkey_page.js": ("hold.js", "passkey.js")}

# What pages are made of and no page is by itself.
PARTS = (
    "base.html",
    "console.html",
    "goes_on.html",
    *(
        f"components/{name}.html"
        for name in (
            "brand",
            "button",
            "console",
            "devices",
            "event",
            "factors",
            "field",
            "mail_code",
            "new_password",
            "notice",
            "passkey",
            "permissions",
            "phone",
            "providers",
            "steps",
            "title",
            "user_agent",
            "wait",
            "who",
        )
    ),
)

# A style sheet of the operator's, loaded after ours.
EXTRA_STYLE = "extra.css"

# What is left for a page that has a limit, where it is only looked at.
EXAMPLE_MINUTES = 30

# How many pages are kept: a few languages, and the applications that people come from.
_MOST_COMMON = 100


@frozen
class StaticFile:
    """A file that pages load: its bytes, and the type it is always served with.

    An operator's own `is_foreign`: whoever opens it by itself sees what it draws, and nothing else.
    """

    content: bytes = attrs.field(repr=False)
    content_type: str
    is_foreign: bool = False


class Templates:
    """Every page in memory, compiled when somebody first sees it, and every static file.

    A file that is missing fails start-up. What cannot be compiled is found by the tests, and by
    `check-config`: to compile all of it takes longer than all else that a start does.

    Files of the operator's, in `own`, take the place of ours. What fails a reader is left out, and the
    log says so: nobody's page is lost for that.
    """

    def __init__(
        self,
        base_url_path: str,
        *,
        directory: Path | None = None,
        own: Path | None = None,
        brand: "Brand | None" = None,
    ) -> None:
        directory = directory or shipped()
        self._base = base_url_path.rstrip("/")
        base = f"{self._base}/static/"
        theirs = own_files.read(own, base) if own is not None else {}
        static = _static(directory, theirs, brand)
        self._static_files = {key_of(file.content, name): file for name, file in static.items()}
        self._static_urls = {key.partition("/")[2]: base + key for key in self._static_files}
        self._brand = brand
        loader = _Loader([*([own] if own else ()), directory])
        self._environment = self._reading(loader)
        self._shipped = self._reading(loader.shipped_alone()) if own is not None else None
        self._failed: set[str] = set()
        self._lost: set[str] = set()
        self.languages = Languages(directory / "languages")
        self._seen: set[str] = set()
        self._common: dict[tuple[PageContent, str, str, int | None], str] = {}
        # Nobody can know these, so no text of others has them in it.
        self._places = _Places()
        look_for(directory, (*PARTS, *TEMPLATES))

    def reader(self) -> Environment:
        """Return what reads templates, for whoever looks at them."""
        return self._environment

    def _reading(self, loader: Sources) -> Environment:
        environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        environment.globals["static"] = self._static_urls.__getitem__
        environment.globals["has_extra_style"] = EXTRA_STYLE in self._static_urls
        environment.globals["language_url"] = f"{self._base}/language"
        environment.globals |= names_of(self._brand)
        translations.install(environment)
        formats.install(environment)
        return environment

    def compile(self) -> None:
        """Compile every page now."""
        for name in TEMPLATES:
            self._environment.get_template(name)

    def render(
        self,
        page: PageContent,
        *,
        lang: str = ENGLISH,
        time_zone: str = UTC,
        minutes_left: int | None = None,
    ) -> str:
        """Make the HTML of `page` in one of our `languages`, with times as they are in a zone.

        It says how many minutes are left for it, where there are only so many. A page that is the same
        for many people is made once; what is of a visit is put in afterwards, which an operator's
        template may ask about, so that theirs are not kept.
        """
        language = self.languages.get(lang)
        if not page.is_common or self._has_own_in(page):
            return self._made(page, language, time_zone, minutes_left)
        of_the_visit = {name: getattr(page, name) for name in page.of_the_visit}
        common = attrs.evolve(page, **{name: self._places[name] for name in of_the_visit})
        html = self._common.get((common, language.tag, time_zone, minutes_left))
        if html is None:
            html = self._made(common, language, time_zone, minutes_left)
            if len(self._common) >= _MOST_COMMON:
                self._common.clear()
            self._common[common, language.tag, time_zone, minutes_left] = html
        for name, value in of_the_visit.items():
            html = html.replace(self._places[name], str(escape(value)))
        return html

    def _has_own_in(self, page: PageContent) -> bool:
        """Say whether an operator's template is part of a page."""
        return self._shipped is not None and isinstance(self._theirs(page.template), Afresh)

    def _theirs(self, name: str) -> Template | None:
        """Return a page as the operator has it, and none where that cannot be compiled."""
        if name in self._lost:
            return None
        try:
            return self._template(self._environment, name)
        except Exception as error:  # noqa: BLE001 (whatever is written there)
            self._lost.add(name)
            self._tell(name, error)
            return None

    def _made(
        self, page: PageContent, language: Language, time_zone: str, minutes_left: int | None
    ) -> str:
        if self._shipped is None:
            return self._rendered(self._environment, page, language, time_zone, minutes_left)
        if self._theirs(page.template) is not None:
            try:
                return self._rendered(self._environment, page, language, time_zone, minutes_left)
            except Exception as error:  # noqa: BLE001 (whatever a template of an operator's does)
                self._tell(page.template, error)
        # Who reads the page did nothing wrong.
        return self._rendered(self._shipped, page, language, time_zone, minutes_left)

    def _tell(self, name: str, error: Exception) -> None:
        """Log once which line failed; what was said may hold what the page was to say."""
        if name in self._failed:
            return
        self._failed.add(name)
        logger.warning(
            "Could not make the page %s with your templates, so people get ours: %s in %s."
            " See: synapse-nextgen-auth templates check",
            name,
            type(error).__name__,
            _line_of(error),
        )

    def render_own(self, page: PageContent, *, lang: str = ENGLISH) -> str:
        """Make the same, to be looked at; what fails there is not made otherwise."""
        left = EXAMPLE_MINUTES if page.is_timed else None
        return self._rendered(self._environment, page, self.languages.get(lang), UTC, left)

    def _rendered(
        self,
        environment: Environment,
        page: PageContent,
        language: Language,
        time_zone: str,
        minutes_left: int | None,
    ) -> str:
        fields = {field.name: getattr(page, field.name) for field in attrs.fields(type(page))}
        fields |= {"lang": language.tag, "dir": language.dir, "language_name": language.name}
        fields["minutes_left"] = minutes_left
        template = self._template(environment, page.template)
        with translations.speaking(language, time_zone):
            return template.render(fields)

    def _template(self, environment: Environment, name: str) -> Template:
        template = environment.get_template(name)
        if name not in self._seen:
            # What a compiler makes of a page on the way is many times what it leaves behind.
            heap.give_back()
            self._seen.add(name)
        return template

    def static_url(self, name: str) -> str:
        """Return the address of a static file."""
        return self._static_urls[name]

    def static_file(self, hash_and_name: str) -> StaticFile | None:
        """Return the file behind `<hash>/<name>`; no path is ever formed from it (C205)."""
        return self._static_files.get(hash_and_name)


def _static(
    directory: Path, theirs: Mapping[str, StaticFile], brand: "Brand | None"
) -> dict[str, StaticFile]:
    """Return every static file: ours, or the operator's of the same name, and more of theirs."""
    files = {}
    for name, content_type in STATIC_FILES.items():
        file = theirs.get(name) or StaticFile(
            (directory / "static" / name).read_bytes(), content_type
        )
        files[name] = (
            attrs.evolve(file, content=brand.dressed(name, file.content)) if brand else file
        )
    for name, parts in TOGETHER.items():
        content = b"\n".join(files[part].content for part in parts)
        files[name] = StaticFile(content, files[parts[0]].content_type)
    for shown in brand.pictures.values() if brand else ():
        picture = shown.picture
        files[shown.name] = StaticFile(picture.content, picture.content_type, is_foreign=True)
    return {**files, **{name: file for name, file in theirs.items() if name not in STATIC_FILES}}


def names_of(brand: "Brand | None") -> dict[str, Any]:
    """Return what templates know of the operator's brand: without one, the service is the server."""
    return {"brand": brand, "known_as": brand.known_as if brand else str}


def _line_of(error: Exception) -> str:
    """Return which line of a template failed: Jinja's tracebacks name them."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{each.filename}: line {each.lineno}" for each in frames]
    return next((each for each in reversed(lines) if ".html: " in each), "a template")


def key_of(content: bytes, name: str) -> str:
    """Return what a static file is called: another one as soon as it changes."""
    return f"{hashlib.sha256(content).hexdigest()[:16]}/{name}"


class _Places(dict[str, str]):
    """What stands for a field of a visit until its value is put there, by the field's name."""

    def __missing__(self, name: str) -> str:
        return self.setdefault(name, f"{name}-{random_id()}")


class _Loader(Sources):
    """Compiles a template together with all that it extends or imports, each read once.

    What is made of an operator's is `Afresh`.
    """

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002, ARG002 - Jinja's name
    ) -> Template:
        source, path, _ = self.get_source(environment, name)
        tree = environment.parse(source, name, path)
        references = [each for each in meta.find_referenced_templates(tree) if each is not None]
        code = lean.without_columns(environment.compile(tree, name, path))
        # A tree at a time, and what it was made of is gone before the next one.
        del source, tree
        lean.sweep()
        parts = [environment.get_template(reference) for reference in references]
        is_afresh = self.is_own(name) or any(isinstance(each, Afresh) for each in parts)
        made = Afresh if is_afresh else Template
        # What Jinja hands over is a chain of these and of nothing, and an import looks at all of it.
        return made.from_code(environment, code, environment.globals)


def look_for(directory: Path, names: Iterable[str]) -> None:
    """Say which of these files is not there: the installation is incomplete."""
    for name in names:
        path = directory / name
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def shipped() -> Path:
    """Return the directory of our own templates."""
    return find_directory(_CANDIDATES)


def find_directory(candidates: Iterable[Path]) -> Path:
    """Return the first directory that holds our templates, or say where they were looked for."""
    candidates = tuple(candidates)
    for candidate in candidates:
        if (candidate / "base.html").is_file():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    message = f"The page templates are neither in {looked}: the installation is incomplete"
    raise FileNotFoundError(message)

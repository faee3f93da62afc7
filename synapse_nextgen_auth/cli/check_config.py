"""`synapse-nextgen-auth check-config`: what Synapse and the module will say of a configuration."""

import contextlib
import io
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from jinja2 import TemplateSyntaxError
from synapse.config._base import Config as SynapseSection
from synapse.config._base import ConfigError, format_config_error
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth import NextGenAuth
from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth.cli import (
    database_check,
    factors_check,
    sign_ups,
    ways_in,
    yaml_file,
)
from synapse_nextgen_auth.cli.homeserver_yaml import MODULE
from synapse_nextgen_auth.cli.settings_words import settings_in_effect
from synapse_nextgen_auth.config import OPTIONS, Branding, Config, ConfigProblems
from synapse_nextgen_auth.config.kinds.numbers import Duration, Number, WholeNumber
from synapse_nextgen_auth.config.kinds.words import Choice, Switch
from synapse_nextgen_auth.config.secret_files import is_path
from synapse_nextgen_auth.homeserver import places
from synapse_nextgen_auth.homeserver.startup import (
    advice,
    installation,
    internals,
    password_costs,
    selfcheck,
    settings,
)
from synapse_nextgen_auth.oauth.clients import jwks
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import language_options, mails
from synapse_nextgen_auth.web.brand import brand
from synapse_nextgen_auth.web.own_templates import faults as own_templates
from synapse_nextgen_auth.web.own_templates import mail_faults
from synapse_nextgen_auth.web.templates import Templates

_SECRET_NAME = re.compile(r"secret|password|passwd|token|key", re.IGNORECASE)
# What is no secret whatever it says: where one lies, for how long one counts, how one is used.
_NO_SECRET_NAME = re.compile(r"_(path|lifetime|method|endpoint|interval|format)$", re.IGNORECASE)
_PATHS_OF_SECRETS = {"secret_path", "client_secret_path"}
_NO_SECRETS = {*(method.value for method in AuthMethod), *jwks.ALGORITHMS}
# Options that are words, numbers or durations, whatever they are called.
_PLAIN_OPTIONS = {
    option.path
    for option in OPTIONS
    if isinstance(option.kind, (Choice, Duration, Number, Switch, WholeNumber))
}
_PYDANTIC_VALUE = re.compile(r"input_value=.*?, (?=input_type=)")


@frozen
class Looked:
    """What was found in a configuration; `words` are the settings in effect, where it is one.

    `hs_config` is missing where Synapse cannot read it.
    """

    raw: Mapping[str, Any] = attrs.field(repr=False)
    config: Config
    problems: Sequence[str]
    warnings: Sequence[str] = ()
    hs_config: HomeServerConfig | None = None
    words: str = ""

    def without_secrets(self, text: str) -> str:
        """Return one of them as it may be shown."""
        return _without_secrets(text, self.raw)


def run(paths: Sequence[Path], *, look_into_database: bool = False) -> int:
    """Check these files as one configuration, print what was found, return the exit code.

    Errors are what keeps Synapse from starting, and a server where nobody could sign in.
    """
    looked = look(paths, look_into_database=look_into_database)
    if not looked.problems:
        print(f"OK\n{looked.words}")
    lines = [
        *(f"* {text}" for text in looked.problems),
        *(f"* Warning: {text}" for text in looked.warnings),
    ]
    if lines:
        print("\n".join(map(looked.without_secrets, lines)))
    return 1 if looked.problems else 0


def look(paths: Sequence[Path], *, look_into_database: bool = False) -> Looked:
    """Look at these files as one configuration; nothing is started and nothing is written."""
    raw, problems = read_files(paths)
    if problems:
        return Looked(raw, Config(), problems)
    config, mistakes = read_options(raw)
    hs_config, problems = load(paths)
    if hs_config is None:
        return Looked(raw, config, [*mistakes, *problems])
    is_read, ours = not mistakes, f"{settings.ours_at(hs_config)}.config"
    branded = brand.read(config.branding)
    mistakes += [
        *selfcheck.config_problems(hs_config, config),
        *(f"{ours}.{text}" if _is_ours(text) else text for text in mail_faults.problems(config)),
        *(f"{ours}.{text}" for text in places.problems(config)),
        *(f"{ours}.{text}" for text in language_options.problems(config)),
        *(f"{ours}.{text}" for text in branded.problems),
        *(f"{ours}.{text}" if _is_ours(text) else text for text in own_templates.problems(config)),
        *_page_problems(),
    ]
    warnings = selfcheck.warnings()
    found, new_people = ways_in.look(hs_config, config), sign_ups.look(hs_config, config)
    problems += new_people.problems
    if config.enabled:
        problems += [
            *mistakes,
            *installation.problems(),
            *internals.problems(),
            *found.problems,
        ]
        tried = password_costs.look(config.passwords)
        problems += tried.problems
        warnings += [*found.warnings, *tried.warnings, *new_people.warnings]
        if is_read:
            # Of options that could not be read there are the defaults, and nobody wrote those.
            warnings += advice.warnings(hs_config, config)
        warnings += [f"{ours}.{text}" for text in branded.warnings]
    else:
        # Nothing of it keeps a switched-off module from resting.
        warnings = [*mistakes, *internals.problems_of_rest(), *warnings]
    database = database_check.look(hs_config) if look_into_database else None
    problems += database.problems if database else []
    if database and is_read and (database.version or 0) >= factors_check.SINCE:
        warnings += factors_check.warnings(hs_config, config, version=database.version or 0)
    if problems:
        return Looked(raw, config, problems, warnings, hs_config)
    words = settings_in_effect(
        config, hs_config, ways=found, sign_up=new_people.words, database=database
    )
    return Looked(raw, config, [], warnings, hs_config, words)


def _page_problems() -> Iterator[str]:
    """Say which template of the installation cannot be used; a start compiles none of them."""
    try:
        templates = Templates("/")
        written = mails.Mails.of(Config(), templates.languages, server_name="example.com")
    except FileNotFoundError as error:
        yield f"{error}. Install the package again."
        return
    for compile_all in (templates.compile, written.compile):
        try:
            compile_all()
        except TemplateSyntaxError as error:
            yield f"{error.filename}: line {error.lineno}: {error.message}. Install the package again."


def read_files(paths: Sequence[Path]) -> tuple[dict[str, Any], list[str]]:
    """Return all files as one mapping, later keys over earlier ones, as Synapse merges them."""
    merged: dict[str, Any] = {}
    problems = []
    for path in paths:
        files = _files_at(path)
        if not files:
            problems.append(f"{path}: no *.yaml file in this directory")
        for file in files:
            try:
                merged.update(yaml_file.read(file))
            except yaml_file.YamlFileError as error:
                problems.append(str(error))
    return ({}, problems) if problems else (merged, [])


def contents(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield what stands in each of the files, of which `read_files` found that they can be read."""
    for path in paths:
        for file in _files_at(path):
            yield yaml_file.read(file)


def _files_at(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def read_options(raw: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """Return the module's options, or the defaults and every mistake with its path.

    Beside the defaults there are the languages and the colours then, as far as they are right.
    """
    modules = raw.get("modules") or []
    if not isinstance(modules, list):
        return Config(), ["modules: expected a list, each entry beginning with `- module:`"]
    ours = [
        (place, entry.get("config"))
        for place, entry in enumerate(modules)
        if isinstance(entry, Mapping) and entry.get("module") in settings.OURS
    ]
    if not ours:
        return Config(), [f"modules: the line `- module: {MODULE}` is missing"]
    if len(ours) > 1:
        return Config(), [f"modules: {MODULE} is there {len(ours)} times; once is enough"]
    place, options = ours[0]
    try:
        return configuration.read(options), []
    except ConfigProblems as found:
        under = f"modules[{place}].config"
        right = configuration.as_far_as_right(options)
        colours = Branding(accent=right.branding.accent, background=right.branding.background)
        config = Config(
            enabled=not configuration.is_off(options), branding=colours, languages=right.languages
        )
        mistakes = [*found.problems, *brand.faults_of(options)]
        return config, [f"{_below(under, path)}: {text}" for path, text in mistakes]


def _is_ours(text: str) -> bool:
    """Say whether a mistake begins with an option: those in a template begin with its file."""
    return text.startswith(("mail.", "templates: "))


def _below(under: str, path: str) -> str:
    return under if path == "config" else f"{under}.{path}"


def load(paths: Sequence[Path]) -> tuple[HomeServerConfig | None, list[str]]:
    """Load the files as Synapse does; return what it complains of, our own options aside.

    Nothing is written.
    """
    arguments = [part for path in paths for part in ("-c", str(path))]
    # Synapse prints advice of its own at this point, about other things than ours.
    silence = io.StringIO()
    try:
        with (
            _replaced(SynapseSection, "ensure_directory", os.path.abspath),
            _replaced(NextGenAuth, "parse_config", lambda _options: None),
            contextlib.redirect_stdout(silence),
            contextlib.redirect_stderr(silence),
        ):
            return HomeServerConfig.load_config("check-config", arguments), []
    except ConfigError as error:
        return None, ["".join(format_config_error(error))]
    except Exception as error:  # noqa: BLE001 - on a wrong type Synapse raises what happens to it
        return None, [f"Synapse cannot read {_section_of(error)}: {type(error).__name__}: {error}"]


@contextlib.contextmanager
def _replaced(owner: type, name: str, function: Callable[..., object]) -> Iterator[None]:
    """Put another function in the place of a method that would write files or stop too early."""
    original = vars(owner)[name]
    setattr(owner, name, staticmethod(function))
    try:
        yield
    finally:
        setattr(owner, name, original)


def _section_of(error: Exception) -> str:
    """Return which part of its configuration Synapse was reading."""
    for frame, _line in reversed(list(traceback.walk_tb(error.__traceback__))):
        section = frame.f_locals.get("self")
        if isinstance(section, SynapseSection):
            return f"its {getattr(section, 'section', 'own')} settings"
    return "the configuration"


def _without_secrets(text: str, raw: Mapping[str, Any]) -> str:
    """Return a message without any value that the files keep under the name of a secret."""
    for value in sorted(_secrets_in(_without_options(raw)), key=len, reverse=True):
        text = text.replace(value, "***")
    return _PYDANTIC_VALUE.sub("", text)


def _without_options(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the files without what options of ours say that are no secrets, such as `never`."""
    modules = raw.get("modules")
    if not isinstance(modules, list):
        return dict(raw)
    return {**raw, "modules": [_less(entry) for entry in modules]}


def _less(entry: object) -> object:
    if not isinstance(entry, Mapping) or entry.get("module") not in settings.OURS:
        return entry
    return {**entry, "config": _without_plain(entry.get("config"))}


def _without_plain(value: object, path: str = "") -> object:
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without_plain(inner, f"{path}{name}.")
        for name, inner in value.items()
        if f"{path}{name}" not in _PLAIN_OPTIONS or isinstance(inner, (Mapping, list))
    }


def _secrets_in(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets_in(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets_in(inner, name)
    # What is as short as a word would take words out of the message.
    elif _is_secret(name, value) and str(value) not in _NO_SECRETS and len(str(value or "")) > 5:
        yield str(value)


def _is_secret(name: str, value: object) -> bool:
    if name in _PATHS_OF_SECRETS:
        # A secret may have been written where the path of its file belongs (C225).
        return isinstance(value, str) and not is_path(value)
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET_NAME.search(name)

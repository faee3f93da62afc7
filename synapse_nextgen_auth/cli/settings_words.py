"""The settings in effect, as an operator would read them out."""

from collections.abc import Iterator

from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.accounts.ways import PASSWORD
from synapse_nextgen_auth.cli.database_check import Looked
from synapse_nextgen_auth.cli.ways_in import WaysIn
from synapse_nextgen_auth.config import OPTIONS, Config
from synapse_nextgen_auth.config.options import LONGEST_LABEL
from synapse_nextgen_auth.homeserver.startup.lifetimes import effective_lifetimes
from synapse_nextgen_auth.homeserver.startup.settings import Written, source_of_keys
from synapse_nextgen_auth.oauth.metadata import Endpoints


def settings_in_effect(
    config: Config,
    hs_config: HomeServerConfig,
    *,
    ways: WaysIn,
    sign_up: str,
    database: Looked | None = None,
) -> str:
    """Return one line per setting, and what was seen in the database; no secret is among them."""
    if not config.enabled:
        off = "The module is switched off (enabled: false)."
        return off if database is None else f"{off}\n  database  {_seen(database, config)}"
    lines = [("issuer", Endpoints.under(hs_config.server.public_baseurl).issuer)]
    lines.append(("ways in", ", ".join(_ways_in(ways)) or "none"))
    lines.append(("sign-up", sign_up))
    lines += _options(config, hs_config)
    if database is not None:
        lines.append(("database", _seen(database, config)))
    return "\n".join(f"  {label:<{LONGEST_LABEL}}  {value}" for label, value in lines)


def _ways_in(found: WaysIn) -> Iterator[str]:
    """Yield each way in, and who checks it."""
    forms = [*([found.ways.password] if found.ways.password else []), *found.ways.custom]
    for form in forms:
        own = form.type == PASSWORD
        by = ["Synapse"] if own and found.localdb else []
        by += [name for name, types in found.asked.items() if form.type in types]
        yield f"{'password' if own else form.type} ({' and '.join(by)})"
    yield from found.providers
    if found.unasked:
        yield f"what {' and '.join(found.unasked)} may check"


def _options(config: Config, hs_config: HomeServerConfig) -> Iterator[tuple[str, str]]:
    """Yield what each option is called and how it is set, those of a section first."""
    written, lifetimes = Written.of(hs_config), effective_lifetimes(config, hs_config)
    # Where Synapse has an option of its own, both together decide.
    in_force = {
        "tokens.access_token_lifetime": lifetimes.access_token,
        "sessions.idle_lifetime": lifetimes.idle,
        "sessions.idle_lifetime_without_device": lifetimes.idle_without_device,
        "sessions.lifetime": lifetimes.absolute,
    }
    for option in sorted(OPTIONS, key=lambda option: option.name == option.path):
        value = in_force.get(option.path, option.value_in(config))
        words = option.kind.show(value, written.option(option.path))
        yield option.label, _source_of_keys(config, hs_config) if option.path == "secret" else words


def _source_of_keys(config: Config, hs_config: HomeServerConfig) -> str:
    if config.secret_path is not None:
        return "secret_path"
    return (
        "secret"
        if config.secret is not None
        else f"Synapse's {source_of_keys(hs_config).removeprefix('the ')}"
    )


def _seen(database: Looked, config: Config) -> str:
    # A module that is switched off neither makes tables nor changes them.
    when = "when Synapse starts" if config.enabled else "when the module is switched on"
    if not database.is_there:
        return "not there yet, made when Synapse starts"
    if database.version is None:
        return f"reached; our tables are made {when}"
    left = f", {database.left} steps are done {when}" if database.left else ""
    return f"reached; our tables are at version {database.version}{left}"

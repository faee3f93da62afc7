"""Whether what the operator set in the section `languages` is there."""

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.oauth.languages import lookup
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.web import time_zones
from synapse_nextgen_auth.web.templates import shipped
from synapse_nextgen_auth.web.translations import Languages


def problems(config: Config) -> list[str]:
    """Return what cannot be met, with its path, and what would be right."""
    options, found = config.languages, []
    tags = Languages(shipped() / "languages").tags
    if options.default not in tags:
        near = lookup(tags, [options.default])
        hint = f"did you mean {near}?" if near else f"there are in {', '.join(tags)}"
        found.append(f"languages.default: there are no pages in {quoted(options.default)}; {hint}")
    if not time_zones.is_known(options.time_zone):
        meant = likely(options.time_zone, sorted(time_zones.names()))
        hint = f"did you mean {meant}?" if meant else "it is a name such as Europe/Berlin"
        found.append(
            f"languages.time_zone: no time zone is called {quoted(options.time_zone)}; {hint}"
        )
    return found

"""Whether the application services that have a key are registered with Synapse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from synapse.config.homeserver import HomeServerConfig

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.homeserver.startup import settings


def problems(hs_config: HomeServerConfig, config: Config) -> list[str]:
    """Return which clients are an application service that Synapse does not know."""
    known = list(_ids(hs_config))
    there = ", ".join(known) or "none"
    found = []
    for n, written in enumerate(config.clients):
        service = written.client.application_service
        if service is None or service.service_id in known:
            continue
        option = settings.Written.of(hs_config).whole(f"clients[{n}].application_service")
        near = likely(service.service_id, known)
        hint = f"; did you mean {near}?" if near else f". There are: {there}"
        found.append(
            f"{option} is {service.service_id}, and no file of app_service_config_files has that"
            f" id{hint}"
        )
    return found


def _ids(hs_config: HomeServerConfig) -> Iterator[str]:
    """Yield the ids of the registrations; what is wrong with a file is for Synapse to say."""
    for path in hs_config.appservice.app_service_config_files:
        try:
            registration: Any = yaml.safe_load(Path(path).read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(registration, dict) and isinstance(registration.get("id"), str):
            yield registration["id"]

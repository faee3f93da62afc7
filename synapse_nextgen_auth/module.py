"""The module that Synapse loads: it reads the options, and looks at Synapse before it relies on it.

What knows Synapse is imported after that: `assembly/`, which puts the parts together.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import config as configuration
from synapse_nextgen_auth import late, lean
from synapse_nextgen_auth.config import Config, ConfigProblems
from synapse_nextgen_auth.homeserver.startup import installation, internals, refusal
from synapse_nextgen_auth.late import Broken

if TYPE_CHECKING:
    from synapse.module_api import ModuleApi

    from synapse_nextgen_auth.web import language_options as _language_options
    from synapse_nextgen_auth.web.brand import brand as _brand
else:
    # Only a configuration with mistakes is looked at by these.
    _brand, _language_options = late.files("web.brand.brand", "web.language_options")

logger = logging.getLogger(__name__)


class NextGenAuth:
    """An OAuth 2.0 authorization server inside this homeserver."""

    @staticmethod
    def parse_config(raw: dict[str, Any]) -> Config:
        """Read the module's options; raise one `ConfigError` that names every mistake."""
        try:
            return configuration.read(raw)
        except ConfigProblems as problems:
            if configuration.is_off(raw):
                # Whatever is wrong may be why the operator switched it off.
                for path, text in problems.problems:
                    logger.warning(
                        "synapse_nextgen_auth is off, and has a mistake: %s: %s", path, text
                    )
                return Config(enabled=False)
            mistakes = [*problems.problems, *_brand.faults_of(raw)]
            of_languages = _language_options.problems(configuration.as_far_as_right(raw))
            lines = "\n".join(
                f"* {text}"
                for text in (*(f"{path}: {text}" for path, text in mistakes), *of_languages)
            )
            raise refusal.config_error(
                f"synapse_nextgen_auth found these mistakes:\n{lines}"
            ) from None

    def __init__(self, config: Config, api: "ModuleApi") -> None:
        if not config.enabled:
            _rest(api)
            return
        with _apart():
            try:
                problems = installation.problems() or internals.problems()
                if problems:
                    refusal.refuse_start(problems)
                from synapse_nextgen_auth.assembly.start import start  # noqa: PLC0415 (relies on what was looked for)
            except Broken as broken:
                refusal.refuse_start([str(broken)])

        start(config, api, module=NextGenAuth)
        lean.start_is_over()


@contextmanager
def _apart() -> Iterator[None]:
    """Let garbage be looked for in what is new, and not in all of Synapse each time.

    The garbage of our imports is a quarter of their memory, and what is freed at once is used again.
    Synapse has switched it off: it looks for garbage itself, once it runs.
    """
    was_on = gc.isenabled()
    # Not every Python can, as Synapse knows too; and what somebody else froze stays frozen.
    is_first = hasattr(gc, "freeze") and gc.get_freeze_count() == 0
    if is_first:
        gc.freeze()
        gc.enable()
    try:
        yield
    finally:
        if is_first:
            gc.unfreeze()
        if not was_on:
            gc.disable()


def _rest(api: "ModuleApi") -> None:
    """Set up what holds with `enabled: false`, all of it: the rest is a stock Synapse.

    Whoever has a token or wants to refresh one is told to wait, and nobody loses a key. A module that
    does nothing keeps no homeserver from starting, whatever that homeserver lacks.
    """
    logger.info("synapse_nextgen_auth is switched off")
    try:
        problems = internals.problems_of_rest()
        if not problems:
            from synapse_nextgen_auth.homeserver.auth import switched_off  # noqa: PLC0415 (as above)
    except Exception as error:  # noqa: BLE001 (files of ours may be missing, or be half of it)
        problems = [_told(error)]
    if problems:
        logger.warning("Clients of this module are signed out for good: %s", problems[0])
        return
    switched_off.install(api._hs)  # noqa: SLF001 (the module API has no other way)
    try:
        from synapse_nextgen_auth.assembly.start import rest  # noqa: PLC0415 (as above)
    except Exception as error:  # noqa: BLE001 (Synapse starts, whatever an import stumbles over)
        # Something of Synapse's, a library of ours that went away, or a file of ours.
        why = _why_not_imported() or [_told(error)]
        logger.warning("The endpoints of this module tell nobody to wait: %s", why[0])
        return
    rest(api)


def _why_not_imported() -> list[str]:
    try:
        return internals.problems_of_imports()
    except Exception:  # noqa: BLE001 (what looks for the reason may lack a file of ours, too)
        return []


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"

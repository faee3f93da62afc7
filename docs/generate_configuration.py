"""Write docs/reference/configuration.md from the records in synapse_nextgen_auth/config.

Run it after every change there: `python docs/generate_configuration.py`.
A test fails while the page is out of date.
"""  # noqa: INP001 - a script beside the pages, not a package

import textwrap
from collections.abc import Collection
from pathlib import Path

from synapse_nextgen_auth.cli.homeserver_yaml import MODULE
from synapse_nextgen_auth.config import OPTIONS, SECTIONS
from synapse_nextgen_auth.config.options import Option, options_of

PAGE = Path(__file__).parent / "reference" / "configuration.md"

_INTRODUCTION = f"""\
# Configuration

<!-- Written by docs/generate_configuration.py from synapse_nextgen_auth/config: edit those. -->

All options stand under `config` beside the module's line in `homeserver.yaml`.
Every option has a default: the bare line is enough.

```yaml
modules:
  - module: {MODULE}
    config:
      tokens:
        access_token_lifetime: 10m
```

A change takes effect with the next restart of Synapse.
[`synapse-nextgen-auth check-config`](cli.md#check-config) reports every mistake at once without \
starting anything, and shows the settings in effect.
An unknown option is a mistake, so a slip of the pen is never ignored silently.

A duration is a whole number and a unit, `s`, `m`, `h`, `d`, `w` or `y`, as in `300s`, `5m` or `90d`.
[A bare number is refused](../decisions/2026-11-22-durations-need-a-unit.md).

"""

# An option that means something only beside another one.
_TOGETHER = {"pkce_exempt": "clients"}


def page() -> str:
    """Return the whole page."""
    plain = "".join(_option(option) for option in OPTIONS if option.name == option.path)
    sections = "".join(_section(name, record) for name, record in SECTIONS.items())
    return f"{_INTRODUCTION}## The module\n\n{plain}{sections}".rstrip() + "\n"


def _section(name: str, record: type) -> str:
    about = (record.__doc__ or "").splitlines()[0]
    options = "".join(_option(option) for option in options_of(record, name))
    return f"## `{name}`\n\n{about}\n\n{options}"


def _option(option: Option) -> str:
    about = option.about.replace(". ", ".\n")
    return f"""\
### `{option.path}`

{about}

* Takes: {option.kind.takes}
* Default: {_default(option)}

```yaml
modules:
  - module: {MODULE}
    config:
{textwrap.indent(_example(option), "      ")}
```

"""


def _default(option: Option) -> str:
    if option.default is None:
        return "not set"
    written = option.kind.write(option.default)
    return (
        f"`{written}`" if option.default or not isinstance(option.default, Collection) else written
    )


def _example(option: Option) -> str:
    section = option.path.removesuffix(option.name).rstrip(".")
    if section:
        return f"{section}:\n{textwrap.indent(_line(option), '  ')}"
    other = _TOGETHER.get(option.path)
    return "\n".join(_line(one) for one in OPTIONS if one.path in {option.path, other})


def _line(option: Option) -> str:
    if "\n" in option.example:
        return f"{option.name}:\n{textwrap.indent(option.example, '  ')}"
    return f"{option.name}: {option.example}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

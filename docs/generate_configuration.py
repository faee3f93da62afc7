"""Write docs/reference/configuration.md from the records in synapse_nextgen_auth/config.

Run it after every change there: `python docs/generate_configuration.py`.
A test fails while the page is out of date.
"""  # noqa: INP001 - a script beside the pages, not a package

import textwrap
from pathlib import Path
from typing import Any

import attrs

from synapse_nextgen_auth.cli.homeserver_yaml import MODULE
from synapse_nextgen_auth.config import SECTIONS, Config, duration
from synapse_nextgen_auth.oauth.static_clients import StaticClient
from synapse_nextgen_auth.secret import Secret

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

_KINDS: dict[object, str] = {
    bool: "`true` or `false`",
    bool | None: "`true` or `false`",
    int: "a whole number above 0",
    int | None: "a whole number above 0",
    float: "a finite number above 0",
    str | None: "a text",
    Secret | None: "a text of 32 bytes or more, in quotes",
    tuple[Secret, ...]: "a list of texts of 32 bytes or more, in quotes",
    tuple[StaticClient, ...]: "a list of clients",
    frozenset[str]: "a list of texts",
    tuple[str, ...]: "a list of hosts, domains and networks",
}


def page() -> str:
    """Return the whole page."""
    plain = "".join(_option(field) for field in attrs.fields(Config) if field.name not in SECTIONS)
    sections = "".join(_section(name, record) for name, record in SECTIONS.items())
    return f"{_INTRODUCTION}## The module\n\n{plain}{sections}".rstrip() + "\n"


def _section(name: str, record: type) -> str:
    about = (record.__doc__ or "").splitlines()[0]
    options = "".join(_option(field, name) for field in attrs.fields(record))
    return f"## `{name}`\n\n{about}\n\n{options}"


def _option(field: "attrs.Attribute[Any]", section: str = "") -> str:
    path = f"{section}.{field.name}" if section else field.name
    about = field.metadata["about"].replace(". ", ".\n")
    unit, longest = field.metadata["unit"], field.metadata["longest"]
    longest = f", at most `{longest}`" if longest else ""
    return f"""\
### `{path}`

{about}

* Takes: {f"a {unit}{longest}" if unit else _KINDS[field.type]}
* Default: {_default(field)}

```yaml
modules:
  - module: {MODULE}
    config:
{textwrap.indent(_example(field, section), "      ")}
```

"""


def _default(field: "attrs.Attribute[Any]") -> str:
    if field.default is None:
        return "not set"
    if isinstance(field.default, (tuple, frozenset)):
        return "none"
    if field.metadata["unit"] == "duration":
        return f"`{duration(field.default)}`"
    return f"`{str(field.default).lower()}`"


def _example(field: "attrs.Attribute[Any]", section: str) -> str:
    if section:
        return f"{section}:\n{textwrap.indent(_line(field), '  ')}"
    other = _TOGETHER.get(field.name)
    if other is None:
        return _line(field)
    return f"{_line(attrs.fields_dict(Config)[other])}\n{_line(field)}"


def _line(field: "attrs.Attribute[Any]") -> str:
    example = field.metadata["example"]
    if "\n" in example:
        return f"{field.name}:\n{textwrap.indent(example, '  ')}"
    return f"{field.name}: {example}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""`synapse-nextgen-auth completion`: what bash, zsh and fish need to complete this command.

It is written from the parser itself, once, so nothing is asked while somebody types: to start Python
takes longer than anybody waits for a completion.
"""

import argparse
from collections.abc import Iterator, Sequence

from synapse_nextgen_auth.records import frozen

NAME = "synapse-nextgen-auth"
SHELLS = ("bash", "fish", "zsh")
_FUNCTION = "_synapse_nextgen_auth"


@frozen
class Word:
    """What may be typed, and what it is for. `values` follow an option; `None` is a file."""

    text: str
    about: str
    takes_value: bool = False
    values: tuple[str, ...] | None = ()


@frozen
class Level:
    """A command, by the words that lead there, with what may be typed there."""

    path: tuple[str, ...]
    commands: tuple[Word, ...]
    options: tuple[Word, ...]
    takes_files: bool


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what the shell is to read."""
    levels = list(_levels(parser, ()))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](levels)


def _levels(parser: argparse.ArgumentParser, path: tuple[str, ...]) -> Iterator[Level]:
    commands: list[Word] = []
    below: list[tuple[str, argparse.ArgumentParser]] = []
    options, takes_files = [], False
    for action in parser._actions:  # noqa: SLF001 (argparse tells nobody otherwise)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (the same)
            about = {each.dest: each.help for each in action._choices_actions}  # noqa: SLF001
            commands += [Word(name, about.get(name) or "") for name in action.choices]
            below += action.choices.items()
        elif action.option_strings:
            options += [_option(text, action) for text in action.option_strings]
        elif _is_file(action):
            takes_files = True
        elif action.choices is not None:
            commands += [Word(str(each), "") for each in action.choices]
    yield Level(path, tuple(commands), tuple(options), takes_files)
    for name, each in below:
        yield from _levels(each, (*path, name))


def _option(text: str, action: argparse.Action) -> Word:
    about = (action.help or "").replace("%%", "%")
    if action.nargs == 0:
        return Word(text, about)
    if action.choices is not None:
        return Word(text, about, takes_value=True, values=tuple(map(str, action.choices)))
    return Word(text, about, takes_value=True, values=None if _is_file(action) else ())


def _is_file(action: argparse.Action) -> bool:
    return action.metavar in {"HOMESERVER.YAML", "FILE", "DIRECTORY"}


def _bash(levels: Sequence[Level]) -> str:
    paths = "|".join(f'" {" ".join(each.path)}"' for each in levels if each.path)
    valued = sorted({each.text for level in levels for each in level.options if each.takes_value})
    lines = [
        f"{_FUNCTION}() {{",
        '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at="" i skip=0',
        "    COMPREPLY=()",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        "        if ((skip)); then skip=0; continue; fi",
        f'        case "${{COMP_WORDS[i]}}" in {"|".join(valued)}) skip=1; continue;; esac',
        f'        case "$at ${{COMP_WORDS[i]}}" in {paths}) at="$at ${{COMP_WORDS[i]}}";; esac',
        "    done",
        '    case "$at:$prev" in',
        *_bash_values(levels),
        "    esac",
        '    case "$at" in',
    ]
    for level in levels:
        words = " ".join(each.text for each in (*level.commands, *level.options))
        files = '; COMPREPLY+=($(compgen -f -- "$cur"))' if level.takes_files else ""
        lines.append(
            f'        "{_lead(level)}") COMPREPLY=($(compgen -W {_quoted(words)} -- "$cur")){files};;'
        )
    lines += ["    esac", "}", f"complete -o filenames -F {_FUNCTION} {NAME}"]
    return "\n".join(lines)


def _bash_values(levels: Sequence[Level]) -> Iterator[str]:
    for level in levels:
        for option in level.options:
            if not option.takes_value:
                continue
            how = "-f" if option.values is None else f"-W {_quoted(' '.join(option.values))}"
            yield (
                f'        "{_lead(level)}:{option.text}")'
                f' COMPREPLY=($(compgen {how} -- "$cur")); return;;'
            )


def _lead(level: Level) -> str:
    return "".join(f" {each}" for each in level.path)


def _zsh(levels: Sequence[Level]) -> str:
    valued = sorted({each.text for level in levels for each in level.options if each.takes_value})
    paths = "|".join(f'" {" ".join(each.path)}"' for each in levels if each.path)
    lines = [
        f"#compdef {NAME}",
        f"{_FUNCTION}() {{",
        '    local at="" prev="${words[CURRENT-1]}" word skip=0',
        "    local -a found",
        '    for word in "${(@)words[2,CURRENT-1]}"; do',
        "        if ((skip)); then skip=0; continue; fi",
        f'        case "$word" in {"|".join(valued)}) skip=1; continue;; esac',
        f'        case "$at $word" in {paths}) at="$at $word";; esac',
        "    done",
        '    case "$at:$prev" in',
    ]
    for level in levels:
        for option in level.options:
            if option.takes_value:
                values = option.values
                how = "_files" if values is None else f"compadd -- {' '.join(values)}"
                lines.append(f'        "{_lead(level)}:{option.text}") {how}; return;;')
    lines += ["    esac", '    case "$at" in']
    for level in levels:
        found = " ".join(
            _quoted(f"{_escaped(each.text)}:{each.about}")
            for each in (*level.commands, *level.options)
        )
        files = "; _files" if level.takes_files else ""
        lines.append(f'        "{_lead(level)}") found=({found}); _describe command found{files};;')
    lines += [
        "    esac",
        "}",
        f'if [ "$funcstack[1]" = "{_FUNCTION}" ]; then {_FUNCTION} "$@";'
        f" else compdef {_FUNCTION} {NAME}; fi",
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Return a word as `_describe` takes it: a colon ends it."""
    return text.replace(":", "\\:")


def _fish(levels: Sequence[Level]) -> str:
    lines = [f"complete -c {NAME} -f"]
    for level in levels:
        when = _fish_condition(level)
        lines += [
            f"complete -c {NAME} -n {_quoted(when)} -a {_quoted(each.text)} -d {_quoted(each.about)}"
            for each in level.commands
        ]
        if level.takes_files:
            lines.append(f"complete -c {NAME} -n {_quoted(when)} -F")
        for option in level.options:
            kind, name = (
                ("-l", option.text[2:]) if option.text[:2] == "--" else ("-s", option.text[1:])
            )
            values = ""
            if option.takes_value:
                values = " -r -F" if option.values is None else " -x"
                if option.values:
                    values += f" -a {_quoted(' '.join(option.values))}"
            lines.append(
                f"complete -c {NAME} -n {_quoted(when)} {kind} {name}{values}"
                f" -d {_quoted(option.about)}"
            )
    return "\n".join(lines)


def _fish_condition(level: Level) -> str:
    if not level.path:
        return "__fish_use_subcommand"
    seen = "; and ".join(f"__fish_seen_subcommand_from {each}" for each in level.path)
    if level.commands:
        others = " ".join(each.text for each in level.commands)
        return f"{seen}; and not __fish_seen_subcommand_from {others}"
    return seen


def _quoted(text: str) -> str:
    """Return a text that a shell takes as one word."""
    return "'" + text.replace("'", "'\\''") + "'"

"""The commands that list what is on the server page by page, and that end some of it bite by bite."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from synapse_nextgen_auth.cli.running_server import Refused, RunningServer
from synapse_nextgen_auth.cli.tables import Columns, Row, lines, listed, moment
from synapse_nextgen_auth.records import frozen

Arguments = argparse.Namespace
Given = Callable[[Arguments], Mapping[str, Any]]

# What a shell takes an exit for after Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130
_PAGE = 500
_WIDTH = 30


def given(*names: str) -> Given:
    """Return what is asked of the server: these arguments, where they are not left out."""
    return lambda asked: {name: getattr(asked, name) or None for name in names}


@frozen
class Listing:
    """A list: which one is asked for with what, where it stands in the answer, and its table."""

    name: str
    given: Given
    key: str
    columns: Columns

    def run(self, server: RunningServer, asked: Arguments) -> int:
        """Print the list, as far as it is wanted; JSON for scripts, line by line if they say so."""
        if getattr(asked, "lines", False):
            for each in self._each(server, asked):
                print(json.dumps(each))
            return 0
        found = list(self._each(server, asked))
        print(json.dumps({self.key: found}) if asked.json else listed(self.columns, found))
        return 0

    def _each(self, server: RunningServer, asked: Arguments) -> Iterator[Row]:
        left, after, has_more = asked.limit or None, None, True
        progress = Progress(asked.limit)
        while has_more and (left is None or left > 0):
            limit = _PAGE if left is None else min(left, _PAGE)
            answer = server.ask(self.name, **self.given(asked), limit=limit, after=after)
            # A first page may have what is in no list beside it.
            found = answer[self.key] if left is None else answer[self.key][:left]
            progress.more(len(found))
            yield from found
            after, has_more = answer["after"], answer["after"] is not None
            left = None if left is None else left - len(found)
        progress.end()
        if has_more:
            print("There are more: --limit 0 lists all of them.", file=sys.stderr)


@frozen
class Showing:
    """One thing, with all that is known of it."""

    name: str
    given: Given
    columns: Columns

    def run(self, server: RunningServer, asked: Arguments) -> int:
        """Print it."""
        answer = server.ask(self.name, **self.given(asked))
        print(json.dumps(answer) if asked.json else lines(self.columns, answer))
        return 0


@frozen
class Ending:
    """The end of one, or of all that a filter finds: as many requests as it takes."""

    name: str
    given: Given
    one: str
    many: str

    def run(self, server: RunningServer, asked: Arguments) -> int:
        """Look how many that are, have it confirmed, and end them."""
        wanted = dict(self.given(asked))
        wanted["all"] = asked.all or None
        found = server.ask(self.name, **wanted, dry_run=True)
        count = found["count"]
        if asked.dry_run:
            self._say_dry(found, as_json=asked.json)
            return 0
        if found["needs_all"]:
            raise Refused(
                f"That would end all there are ({found['living']}): say --all if that is meant"
            )
        is_sure = asked.session is not None or asked.yes or count == 0
        if not is_sure and not _confirmed(f"End {self._counted(count)}?"):
            raise Refused("Nothing was ended")
        ended, progress = 0, Progress(count)
        try:
            for bite in self._bites(server, {**wanted, "why": asked.why}):
                ended += bite
                progress.more(bite)
        except KeyboardInterrupt:
            progress.end()
            print(
                f"Stopped. Ended: {self._counted(ended)}, and perhaps those of the request that was"
                " under way.",
                file=sys.stderr,
            )
            return INTERRUPTED
        progress.end()
        print(json.dumps({"ended": ended}) if asked.json else f"Ended: {self._counted(ended)}.")
        return 0

    def _bites(self, server: RunningServer, wanted: Mapping[str, Any]) -> Iterator[int]:
        answer: Mapping[str, Any] = {"left": True}
        while answer["left"]:
            answer = server.ask(self.name, **wanted)
            if not answer["ended"]:
                return
            yield int(answer["ended"])

    def _say_dry(self, found: Mapping[str, Any], *, as_json: bool) -> None:
        if as_json:
            print(json.dumps(found))
            return
        all_of_them = ", which are all there are: that takes --all" * found["needs_all"]
        print(f"That would end {self._counted(found['count'])}{all_of_them}.")

    def _counted(self, count: int) -> str:
        return f"{count} {self.one if count == 1 else self.many}"


def _confirmed(question: str) -> bool:
    """Ask whoever sits there; where nobody does, it takes a word at the command line."""
    if not sys.stdin.isatty():
        raise Refused(f"{question} Nobody is there to say so: add --yes, or --dry-run to look only")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


class Progress:
    """How far something is, on a terminal alone, and beside what is printed."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._is_seen = sys.stderr.isatty()
        self._was_shown = False

    def more(self, count: int) -> None:
        """Say that so many more are done."""
        self._done += count
        # What takes one request takes no time.
        if not self._is_seen or (self._total and self._done >= self._total):
            return
        self._was_shown = True
        bar = ""
        if self._total:
            full = min(_WIDTH, _WIDTH * self._done // self._total)
            bar = f"[{'#' * full}{'.' * (_WIDTH - full)}] "
        of = f" of {self._total}" if self._total else ""
        print(f"\r{bar}{self._done}{of}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line away."""
        if self._was_shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


_FILTERS = ("user", "scopes", "address", "idle", "older", "younger", "device")
_SESSION: Columns = (
    ("ID", lambda row: row["session_id"]),
    ("ACCOUNT", lambda row: row["user_id"]),
    ("APPLICATION", lambda row: row["name"] or row["client_id"]),
    ("DEVICE", lambda row: row["device_id"]),
    ("BEGAN", lambda row: moment(row["created_at"])),
    ("LAST USED", lambda row: moment(row["last_active_at"])),
    ("FROM", lambda row: row["address"]),
)
_SESSION_WHOLE: Columns = (
    ("id", lambda row: row["session_id"]),
    ("account", lambda row: row["user_id"]),
    ("kind", lambda row: row["kind"]),
    ("name", lambda row: row["name"]),
    ("client", lambda row: row["client_id"]),
    ("device", lambda row: row["device_id"]),
    ("scope", lambda row: row["scope"]),
    ("began", lambda row: moment(row["created_at"])),
    ("last used", lambda row: moment(row["last_active_at"])),
    ("from", lambda row: row["address"]),
    ("user agent", lambda row: row["user_agent"]),
    ("ends", lambda row: moment(row["expires_at"])),
    ("state", lambda row: row["state"]),
    ("ended", lambda row: moment(row["ended_at"])),
    ("why", lambda row: row["end_reason"]),
)
_TOKEN: Columns = (
    ("ID", lambda row: row["session_id"]),
    ("ACCOUNT", lambda row: row["user_id"]),
    ("NAME", lambda row: row["name"]),
    ("DEVICE", lambda row: row["device_id"]),
    ("MADE", lambda row: moment(row["created_at"])),
    ("LAST USED", lambda row: moment(row["last_active_at"])),
    ("ENDS", lambda row: moment(row["expires_at"])),
)
_CLIENT: Columns = (
    ("ID", lambda row: row["client_id"]),
    ("NAME", lambda row: row["name"]),
    ("AT", lambda row: " ".join(row["places"])),
    ("REGISTERED", lambda row: moment(row["created_at"])),
    ("SESSIONS", lambda row: row["sessions"]),
    ("BLOCKED", lambda row: moment(row["blocked_at"])),
)
_CLIENT_WHOLE: Columns = (
    ("id", lambda row: row["client_id"]),
    ("name", lambda row: row["name"]),
    ("at", lambda row: " ".join(row["places"])),
    ("kind", lambda row: row["kind"]),
    ("registered", lambda row: moment(row["created_at"])),
    ("sessions", lambda row: row["sessions"]),
    ("blocked", lambda row: moment(row["blocked_at"])),
    ("why", lambda row: row["blocked_why"]),
    ("metadata", lambda row: json.dumps(row["metadata"], sort_keys=True)),
)
_USER: Columns = (
    ("ACCOUNT", lambda row: row["user_id"]),
    ("MADE", lambda row: moment(row["created_at"])),
    ("STATE", lambda row: row["state"]),
    ("ADMIN", lambda row: "yes" if row["admin"] else "no"),
)
_USER_WHOLE: Columns = (
    ("account", lambda row: row["user_id"]),
    ("name", lambda row: row["display_name"]),
    ("made", lambda row: moment(row["created_at"])),
    ("state", lambda row: row["state"]),
    ("admin", lambda row: "yes" if row["admin"] else "no"),
    ("may sign in", lambda row: row["sign_in"]),
    ("e-mail", lambda row: " ".join(row["emails"])),
    ("sessions", lambda row: row["sessions"]),
    ("personal tokens", lambda row: row["personal_tokens"]),
    ("legacy sessions", lambda row: row["legacy_sessions"]),
    ("authenticator apps", lambda row: row["apps"]),
    ("passkeys", lambda row: row["passkeys"]),
    ("codes by e-mail", lambda row: "on" if row["mail"] else "off"),
    ("recovery codes", lambda row: row["recovery_codes"]),
)
_EVENT: Columns = (
    ("WHEN", lambda row: moment(row["happened_at"])),
    ("WHAT", lambda row: row["kind"]),
    ("ACCOUNT", lambda row: row["user_id"]),
    ("APPLICATION", lambda row: row["client_id"]),
    ("SESSION", lambda row: row["session_id"]),
    ("FROM", lambda row: row["address"]),
    ("DETAIL", lambda row: row["detail"]),
)

COMMANDS: Sequence[Listing | Showing | Ending] = (
    Listing("sessions list", given(*_FILTERS, "clients", "state"), "sessions", _SESSION),
    Showing("sessions show", given("session"), _SESSION_WHOLE),
    Ending("sessions end", given(*_FILTERS, "clients", "session"), "session", "sessions"),
    Listing("tokens list", given(*_FILTERS, "state"), "sessions", _TOKEN),
    Showing("tokens show", given("session"), _SESSION_WHOLE),
    Ending("tokens end", given(*_FILTERS, "session"), "token", "tokens"),
    Listing("clients list", given("search", "use"), "clients", _CLIENT),
    Showing("clients show", given("client"), _CLIENT_WHOLE),
    Listing("users list", given("state", "admin", "search"), "users", _USER),
    Showing("users show", given("user"), _USER_WHOLE),
    Listing(
        "events list",
        given("user", "client", "session", "kinds", "younger", "older"),
        "events",
        _EVENT,
    ),
)

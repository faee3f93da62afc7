"""Every statement of the store, explained by PostgreSQL instead of run."""

import inspect
from importlib import import_module
from pathlib import Path

from support.records import (
    ADDRESS,
    ALICE,
    NOW,
    PHONE,
    a_client,
    a_device_grant,
    a_grant,
    an_attempt,
)
from synapse_nextgen_auth import store
from synapse_nextgen_auth.accounts import ulids
from synapse_nextgen_auth.accounts.approvals import Approval, Operation
from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival
from synapse_nextgen_auth.accounts.attempts.attempt import Purpose
from synapse_nextgen_auth.accounts.codes import Code
from synapse_nextgen_auth.accounts.factors import lost
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.lost import DAY, Drawn, Terms
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Used
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey
from synapse_nextgen_auth.accounts.factors.policy import Remembered
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.hashes import PasswordHash
from synapse_nextgen_auth.accounts.invitations import Invitation
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.notices import Notice, Question
from synapse_nextgen_auth.accounts.outbox import Entry
from synapse_nextgen_auth.accounts.own_ways import Identity
from synapse_nextgen_auth.accounts.sign_ins import BrowserLifetimes, SignIn
from synapse_nextgen_auth.accounts.works import RemovePushers
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.legacy_sign_ins import LegacySignIn
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.oauth.rendezvous import Kind, Rendezvous
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, API, DEVICE
from synapse_nextgen_auth.oauth.session_filter import SessionFilter
from synapse_nextgen_auth.oauth.sessions import End, Session, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm, SigningKey
from synapse_nextgen_auth.store import registration_token_lists as tokens
from synapse_nextgen_auth.store import user_lists as users
from synapse_nextgen_auth.store.client_lists import Block, ClientFilter
from synapse_nextgen_auth.store.device_grants import Codes
from synapse_nextgen_auth.store.download import PARTS
from synapse_nextgen_auth.store.event_windows import EventsWanted
from synapse_nextgen_auth.store.legacy_lists import LegacyFilter
from synapse_nextgen_auth.store.marks import Mark
from synapse_nextgen_auth.store.personal_tokens import PersonalToken
from synapse_nextgen_auth.store.revoked_tokens import RevokedToken
from synapse_nextgen_auth.store.rotations import Rotation
from synapse_nextgen_auth.store.sign_in_lists import SignInFilter
from synapse_nextgen_auth.store.sweep import KINDS, KINDS_AHEAD
from synapse_nextgen_auth.store.throttle import Bucket
from synapse_nextgen_auth.store.token_holds import Hold
from synapse_nextgen_auth.store.unused_clients import Place
from synapse_nextgen_auth.store.windows import Window

_APP = App("app", ALICE, "sealed", "Phone", NOW)
_RECOVERY_CODE = RecoveryCode(ALICE, "mac", NOW)
# What an argument of this name stands for, wherever it is asked for.
SAMPLES = {
    "address": ADDRESS,
    "app": _APP,
    "approval": Approval("a", ALICE, "s", Operation.CROSS_SIGNING_RESET, NOW),
    "arrival": Arrival("digest", "attempt", "oidc-works", NOW),
    "auth_time": NOW,
    "challenge": b"challenge",
    "body": "mac",
    "browser": "digest",
    "buckets": [Bucket("near", Rate(0.5, 100)), Bucket("wide", Rate(4, 800))],
    "by": 5,
    "client": a_client(),
    "client_ids": ["one", "two"],
    "code_digest": "digest",
    "code_expires_at": NOW,
    "notice": Notice.PASSWORD,
    "also_to": "",
    "details": ["device A", "device B"],
    "kinds": ["session_begun", "password_set"],
    "code": Code("a", "mac", "sealed", "m", NOW, NOW),
    "codes": Codes("one", "two", "three"),
    "data": "data",
    "device_id": PHONE,
    "digests": ["one", "two"],
    "entry": Entry("e", "remove_pushers", "s", 1, "{}", NOW, NOW, 1),
    "expires_after": NOW,
    "event": Event(EventKind.SIGNED_IN, NOW, ALICE),
    "generation": 1,
    "identity": Identity("oidc-works", "subject"),
    "key": SigningKey("kid", Algorithm.RS256, "sealed", "{}", NOW, NOW),
    "held": Hold("s", "digest", NOW),
    "kind": Kind.ETAG,
    "limit": 5,
    "ends_after": NOW,
    "ends_until": NOW + 60,
    "made_for": 60,
    "login": LegacySignIn("l", "digest", "https://a.example/", None, None, None, NOW, NOW),
    "mail": "m",
    "mark": Mark.LOCKED,
    "uses_allowed": 1,
    "invitation": Invitation("t", NOW, NOW),
    "link": Link("d", LinkKind.COMMAND, ALICE, NOW, NOW),
    "made_before": NOW,
    "made": PasswordHash("d", "$argon2id$", NOW),
    "pairs": [(ALICE, "A"), (ALICE, "B")],
    "pause": 40,
    "personal_token": PersonalToken("s", ALICE, "Bot", NOW),
    "operation": Operation.CROSS_SIGNING_RESET,
    "question": Question.DEVICE,
    "remembered": Remembered("r", "digest", ALICE, NOW, NOW),
    "rendezvous": Rendezvous("r", Kind.ETAG, "data", "1", NOW, NOW, NOW),
    "subject": "m",
    "surrogates": ["one", "two"],
    "session": Session("s", ALICE, PHONE, "app", "openid", 1, NOW, 0, NOW, NOW, NOW),
    "session_ids": ["one", "two"],
    "ui_session": "u",
    "user_ids": [ALICE, "@bob:example.org"],
    "uses": [("s", 1, NOW), ("t", 2, NOW)],
    "why": End.REVOKED,
    "passkey": Passkey("id", ALICE, "handle", "example.com", "key", "Phone", NOW),
    "used": Used(sign_count=1, is_synced=False, is_verified=True),
    "window": 900,
    "work": RemovePushers("s", 1),
}
NUMBERS = {
    *(
        "step",
        "furthest",
        "level",
        "now",
        "last",
        "head_start",
        "since",
        "idle_since",
        "unused_since",
        "used_before",
        "expires_at",
        "stored",
        "agreed_since",
        "created_before",
        "registered_before",
        "before",
        "begun_after",
        "proven_at",
        "due_at",
        "used_at",
        "validated_at",
        "times",
    ),
}
# Statements that are about all rows of a small table.
ABOUT_ALL = {
    ("accounts", "list_open"),
    ("factor_mail", "count_alone"),
    ("factors", "list_held"),
    ("factors", "sealed_secrets"),
    ("keys", "list_all"),
    ("migrations", "applied"),
    ("outbox", "measure"),
    ("passkeys", "count_by_site"),
    ("passwords", "list_kept"),
    ("client_lists", "blocks"),
    ("legacy_lists", "count"),
    # How many there are in all; a page is read by its keys.
    ("email_lists", "count"),
    ("link_lists", "count"),
    ("registration_token_lists", "count"),
    ("user_lists", "count"),
}


def statements():
    """Return (module, function, arguments) for every function that runs SQL."""
    for path in sorted(Path(store.__file__).parent.glob("*.py")):
        if path.stem in {"__init__", "txn", "table", "migrations"}:
            continue
        module = import_module(f"{store.__name__}.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                for variant in variants(path.stem, name):
                    yield path.stem, function, variant


_SIGN_IN = SignIn("digest", ALICE, NOW, NOW)
_WANTED_USERS = ({}, {"admin": True}, {"search": "a"}, {"has_session": True}, {"clients": ("a",)})
_LOST = lost.asked(ALICE, Drawn("r", "digest", "sealed"), Terms(wait=DAY), now=NOW)
_WINDOWS = (Window(10), Window(10, after=(NOW, "a"), backwards=True))
_SESSION_FILTERS = [
    SessionFilter(**fields)
    for fields in (
        {},
        {"user_id": ALICE, "is_living": True},
        {"clients": ("app",), "is_living": False},
        {"but_clients": ("app",)},
        {"scopes": (ADMIN,)},
        {"scopes": (API, f"{DEVICE}A")},
        {"is_personal": True},
        {"address": ADDRESS},
        {"created_before": NOW, "active_before": NOW},
        {"active_after": NOW},
    )
]


def _lists(filters, *, name, **further):
    """Return the arguments of a page and of a count for each of these filters."""
    pages = [{name: each, "window": window, **further} for each in filters for window in _WINDOWS]
    return pages, [{name: each, **further} for each in filters]


_SESSION_PAGES, _SESSION_COUNTS = _lists(
    _SESSION_FILTERS, name="meant", lifetimes=SessionLifetimes()
)
_BROWSER_PAGES, _BROWSER_COUNTS = _lists(
    [SignInFilter(), SignInFilter(user_id=ALICE, is_living=True), SignInFilter(active_before=NOW)],
    name="wanted",
    lifetimes=BrowserLifetimes(),
)
_CLIENT_PAGES, _CLIENT_COUNTS = _lists(
    [ClientFilter(), ClientFilter(part="a", is_used=True)], name="wanted"
)
_LEGACY_COUNTS = [{"wanted": each} for each in (LegacyFilter(), LegacyFilter(user_id=ALICE))]
_LEGACY_PAGES = [given | {"window": Window(10, after=(5,))} for given in _LEGACY_COUNTS]
# Further arguments for functions that run one of several statements.
VARIANTS = {
    ("session_lists", "page"): _SESSION_PAGES,
    ("session_lists", "count"): _SESSION_COUNTS,
    ("sign_in_lists", "page"): _BROWSER_PAGES,
    ("sign_in_lists", "count"): _BROWSER_COUNTS,
    ("client_lists", "page"): _CLIENT_PAGES,
    ("client_lists", "count"): _CLIENT_COUNTS,
    ("client_lists", "block"): [{"blocked": Block("app", NOW, ALICE)}],
    ("legacy_lists", "page"): _LEGACY_PAGES,
    ("legacy_lists", "count"): _LEGACY_COUNTS,
    ("legacy_lists", "token_of"): [{"token_id": 5}],
    ("legacy_lists", "find"): [{"key": "#5"}, {"key": f"{ALICE} {PHONE}"}],
    ("revoked_tokens", "add"): [{"revoked": RevokedToken("token", NOW)}],
    ("event_windows", "page"): [
        {"wanted": each, "window": window}
        for each in (
            EventsWanted(),
            EventsWanted(kinds=("signed_in",)),
            EventsWanted(kinds=("signed_in", "signed_out")),
            EventsWanted(user_id=ALICE, before=NOW),
        )
        for window in _WINDOWS
    ],
    ("event_windows", "count"): [{"wanted": EventsWanted(kinds=("signed_in",))}],
    ("event_windows", "at"): [{"happened_at": NOW}],
    ("pending_lists", "page"): [{"window": window} for window in _WINDOWS],
    ("ulids", "find"): [{"kind": ulids.Kind.USER}],
    ("ulids", "known"): [{"kind": ulids.Kind.USER, "keys": ["a", "b"]}],
    ("ulids", "name"): [{"kind": ulids.Kind.USER, "made": {"a": NOW}}],
    ("lost_factors", "cancel"): [{"rests": rests} for rests in (True, False)],
    ("lost_factors", "put"): [{"request": _LOST}],
    ("lost_factors", "note_told"): [{"told": _LOST.told(NOW)}],
    ("lost_factors", "note_reminded"): [{"reminded": _LOST.reminded(NOW)}],
    ("rotations", "together"): [
        {"rotations": [Rotation(each, "app", 1, NOW, NOW) for each in ids]} for ids in ("s", "st")
    ],
    ("sweep", "stale"): [{"kind": kind, "keep": None} for kind in KINDS],
    ("sweep", "from_the_future"): [{"kind": kind} for kind in KINDS_AHEAD],
    ("sweep", "blank_addresses"): [{"since": NOW - 1}],
    ("unused_clients", "idle_clients"): [
        {"after": Place(), "is_public": is_public} for is_public in (True, False)
    ],
    ("outbox", "list_due"): [{"kind": RemovePushers.kind}],
    ("outbox", "forget_addresses"): [{"kind": RemovePushers.kind}],
    ("download", "part"): [{"name": name} for name in PARTS],
    ("events", "list_before"): [{"older_than": None}, {"older_than": (NOW, "id")}],
    ("grants", "add"): [{"grant": a_grant()}],
    ("device_grants", "add"): [{"grant": a_device_grant()}],
    ("provider_sessions", "note"): [{"sign_in": _SIGN_IN}],
    ("sign_ins", "add"): [{"sign_in": _SIGN_IN}],
    ("sign_ins", "holds"): [{"by": _SIGN_IN}],
    ("sign_ins", "renew"): [{"former": _SIGN_IN, "sign_in": _SIGN_IN}],
    ("sign_ins", "set_right"): [{"former": _SIGN_IN, "sign_in": _SIGN_IN}],
    ("factor_mail", "put"): [{"row": FactorMail(ALICE, "alice@example.org", NOW)}],
    ("factors", "use_code"): [{"code": _RECOVERY_CODE}],
    ("factors", "replace_codes"): [{"codes": [_RECOVERY_CODE]}],
    ("attempts", "add"): [{"attempt": an_attempt()}],
    ("attempts", "change"): [{"former": an_attempt(), "attempt": an_attempt()}],
    ("attempts", "list_begun"): [{"purpose": Purpose.SIGN_UP}],
    ("grants", "approve"): [{"by": _SIGN_IN}],
    ("device_grants", "approve"): [{"by": _SIGN_IN}],
    ("marks", "find"): [{"subjects": ["a"]}],
    ("marks", "put"): [{"former": 1}],
    ("marks", "keep"): [{"subjects": ["a"], "of": ["a", "b"]}],
    ("user_lists", "list_users"): [
        {"wanted": users.Wanted("example.com", **each), "window": Window(9, after=("a",))}
        for each in _WANTED_USERS
    ],
    ("user_lists", "count"): [
        {"wanted": users.Wanted("example.com", **each)} for each in _WANTED_USERS
    ],
    ("email_lists", "list_emails"): [
        {"window": Window(9, after=("a",)), "address": None, "user_id": each}
        for each in (None, ALICE)
    ],
    ("email_lists", "find"): [{"key": '["@alice:example.org", "digest"]'}],
    ("link_lists", "list_links"): [
        {"window": Window(9, after=("a", "b")), "provider": None, "subject": None, "user_id": each}
        for each in (None, ALICE)
    ],
    ("link_lists", "find"): [{"key": '["@alice:example.org", "digest"]'}],
    ("registration_token_lists", "list_tokens"): [
        {"wanted": tokens.Wanted(valid=True), "window": Window(9, after=("a",))}
    ],
    ("registration_token_lists", "count"): [{"wanted": tokens.Wanted()}],
    **{
        ("registration_token_lists", each): [
            {"token": tokens.RegistrationToken("t", None, 0, 0, None)}
        ]
        for each in ("revoke", "restore")
    },
}


# What lists rows by their keys before it changes them: both statements are looked at.
LIST_FIRST = {"stale", "from_the_future", "idle_browsers"}


def variants(module, name):
    """Return further arguments for functions that run one of several statements."""
    if module == "throttle" and name not in {"fill", "full", "take_back"}:
        return [{"key": "key"}]
    return VARIANTS.get((module, name), [{}])


def argument(name):
    return NOW if name in NUMBERS else SAMPLES.get(name, "text")


class Explaining:
    """A transaction that explains each statement instead of running it."""

    def __init__(self, txn, *, finds):
        self._txn = txn
        self._finds = finds
        self.plans = []
        self.rowcount = 1
        self.ended, self.changed, self.gone = [], [], []
        self.posted, self.happened = [], []
        self.told = frozenset({"signed_in"})
        self.begun = 0
        self.draw, self.place_of = txn.draw, txn.place_of

    def execute(self, sql, parameters=(), /):
        self._columns = sql.partition(" FROM ")[0].count(",") + 1
        self._txn.execute(f"EXPLAIN {sql}", parameters)
        self.plans.append("\n".join(row[0] for row in self._txn.fetchall()))

    def fetchone(self):
        return None

    def fetchall(self):
        return [("key",) * self._columns] * 500 if self._finds else []


def explained(txn, function, given):
    """Return the plans of the statements that this function of the store begins with."""
    names = [name for name in inspect.signature(function).parameters if name != "txn"]
    explaining = Explaining(txn, finds=function.__name__ in LIST_FIRST)
    given = {name: argument(name) for name in names} | given
    if "txn" not in inspect.signature(function).parameters:  # it only says which statement to run
        sql, parameters = function(**given)
        explaining.execute(sql.replace("%s", "?"), parameters)
        return explaining.plans
    try:
        function(explaining, **given)
    except TypeError:
        assert explaining.plans, "the function stopped before its first statement"
    return explaining.plans

"""What a new account costs: a name and a password on our page, against stock's `/register`."""

import itertools
import json
import re
import time
from collections.abc import Iterator

from bench.report import Figure, Wanted, difference
from bench.servers import MODULE, Scene, line_to
from bench.wire import Line, form_of_ours, get, post

PATH = "/_synapse/client/auth/register"
STOCK = "/_matrix/client/v3/register"
ROUNDS = 4  # of bcrypt: the least there is, as what is measured is all the rest
BESIDE = Wanted(at_most=15)
PASSWORD = "seven brave otters juggle"
NO_LIMITS = {"per_second": 10_000, "burst_count": 10_000}
OPEN = {
    "enable_registration": True,
    "enable_registration_without_verification": True,
    "rc_registration": NO_LIMITS,
    "bcrypt_rounds": ROUNDS,
}

_CSRF = re.compile(rb'name="csrf" value="([^"]+)"')
_COOKIE = re.compile(rb"(?i)set-cookie: ([^;]+)")
_names = itertools.count()


def measure(scene: Scene) -> Iterator[Figure]:
    """Make accounts in turns: on our page, by `/register`, by `/register`, on our page."""
    module = {**MODULE, "authorization": {"per_second": 1000, "burst": 100_000}}
    with scene.new_homeserver("sign-up", module=module) as homeserver:
        homeserver.stop()
        homeserver.config |= OPEN
        homeserver.start()
        with line_to(homeserver) as line:
            for _ in range(10):
                _pair(line)
            pairs = [_pair(line) for _ in range(20 if scene.quick else 100)]
    yield difference("account beside stock's", pairs, unit="ms", wanted=BESIDE)


def _pair(line: Line) -> tuple[float, float]:
    ours, stock = _ours(line), _stock(line)
    return (ours + _ours(line)) / 2, (stock + _stock(line)) / 2


def _ours(line: Line) -> float:
    """Return how long the press on the button takes, in milliseconds; stock's has no page."""
    head, page = line.answer(get(PATH))
    fields = {
        "csrf": _CSRF.search(page)[1].decode(),
        "username": f"ours{next(_names)}",
        "password": PASSWORD,
        "decision": "create",
    }
    cookie = _COOKIE.search(head)[1].decode()
    request = form_of_ours(PATH, fields, cookie=cookie)
    began = time.perf_counter()
    line.answer(request, expected=303)
    return (time.perf_counter() - began) * 1000


def _stock(line: Line) -> float:
    """Return how long the two requests take that a client makes for it."""
    body = {"username": f"stock{next(_names)}", "password": PASSWORD}
    began = time.perf_counter()
    asked = json.loads(line.ask(post(STOCK, body), expected=401))
    auth = {"type": "m.login.dummy", "session": asked["session"]}
    line.ask(post(STOCK, {**body, "auth": auth}))
    return (time.perf_counter() - began) * 1000

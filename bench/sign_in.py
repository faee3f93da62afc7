"""What signing in costs: the page, and a password beside the time that its hash takes."""

import re
import statistics
import time
from collections.abc import Iterator

import attrs
import bcrypt

from bench.report import Figure, Wanted
from bench.servers import MODULE, Scene, line_to
from bench.wire import Line, form_of_ours, get
from support.synapse import Homeserver, User

PATH = "/_synapse/client/auth/sign-in"
ROUNDS = 4  # of bcrypt: the least there is, as what is measured is all the rest
BESIDE = Wanted(at_most=10)
# Nobody signs in so often that these would matter.
NO_LIMITS = {"per_second": 10_000, "burst_count": 10_000}

_CSRF = re.compile(rb'name="csrf" value="([^"]+)"')
_COOKIE = re.compile(rb"(?i)set-cookie: ([^;]+)")


@attrs.frozen
class Took:
    """What one sign-in took, in milliseconds: its page, and the password."""

    page: float
    password: float


def measure(scene: Scene) -> Iterator[Figure]:
    """Sign in again and again, each time as a browser that was never here."""
    limits = dict.fromkeys(("address", "account", "failed_attempts"), NO_LIMITS)
    with scene.new_homeserver("sign-in", module=MODULE) as homeserver:
        homeserver.stop()
        homeserver.config |= {"rc_login": limits, "bcrypt_rounds": ROUNDS}
        homeserver.start()
        user = homeserver.new_user()
        with line_to(homeserver) as line:
            _several(line, user, 20)
            took = _several(line, user, 60 if scene.quick else 400)
        hashed = _hash_of(homeserver, user)
    page = statistics.median(each.page for each in took)
    password = statistics.median(each.password for each in took)
    yield Figure("sign-in page", page, "ms")
    yield Figure("hash of a password", hashed, "ms")
    yield Figure("password beside its hash", password - hashed, "ms", wanted=BESIDE)


def _several(line: Line, user: User, times: int) -> list[Took]:
    return [_sign_in(line, user) for _ in range(times)]


def _sign_in(line: Line, user: User) -> Took:
    began = time.perf_counter()
    head, page = line.answer(get(PATH))
    shown = time.perf_counter()
    fields = {
        "csrf": _CSRF.search(page)[1].decode(),
        "identifier": user.localpart,
        "password": user.password,
        "decision": "sign-in",
    }
    cookie = _COOKIE.search(head)[1].decode()
    request = form_of_ours(PATH, fields, cookie=cookie)
    pressed = time.perf_counter()
    line.answer(request, expected=303)
    return Took((shown - began) * 1000, (time.perf_counter() - pressed) * 1000)


def _hash_of(homeserver: Homeserver, user: User) -> float:
    """Return how long the check of this hash takes by itself."""
    ((stored,),) = homeserver.query("SELECT password_hash FROM users WHERE name = ?", user.user_id)
    times = []
    for _ in range(50):
        began = time.perf_counter()
        assert bcrypt.checkpw(user.password.encode(), stored.encode())
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)

"""The lists of the admin API among a million sessions: how long a page takes, by every filter.

Each filter alone and the usual pairs, from either end, page after page, with and without their count.
"""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from bench.millions import analyze
from bench.report import Figure, Wanted, percentile
from bench.servers import MODULE, Scene, opened
from support.admin_api import ROOT, scope
from support.oauth import API, DEVICE, Server
from support.synapse import Homeserver
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN, READ

SESSIONS = 1_000_000
QUICK = 20_000
PAGES = 20  # from each end
WANTED = Wanted(at_most=100)
DAY = 24 * 3600
# A third of the sessions is over, half of them is of ten clients, a tenth was used within the hour. One
# client is new, and all that is signed in to it is at the end of every list.
_SESSIONS = f"""
INSERT INTO nextgen_sessions (session_id, user_id, device_id, client_id, scope, generation, rotated_at,
    confirmed_generation, auth_time, created_at, last_active_at, address, user_agent, ended_at,
    end_reason, began_by, active_day, level)
SELECT md5('session' || n), '@crowd' || (n * 7919 % people) || ':' || host,
    CASE WHEN n % 10 < 8 THEN 'CROWDEVICE' || n END,
    CASE WHEN n > size * 0.98 AND n % 4 = 1 THEN 'newcomer'
        WHEN n % 2 = 0 THEN 'popular' || (n / 2 % 10) ELSE 'client' || (n % 50000) END,
    CASE WHEN n % 10000 = 0 THEN '{API} {ADMIN} {DEVICE}CROWDEVICE' || n
        WHEN n % 10 < 8 THEN 'openid {API} {DEVICE}CROWDEVICE' || n
        WHEN n % 100 = 9 THEN '{READ}' ELSE 'openid email' END,
    5, used, 5, began, began, used, '10.' || n % 200 || '.' || n % 250 || '.' || n % 90,
    'Mozilla/5.0 (X11; Linux x86_64) Crowd/1.0', CASE WHEN n % 3 = 0 THEN used END,
    CASE WHEN n % 3 = 0 THEN 'logout' END,
    CASE WHEN n % 500 = 9 THEN 'personal_token' ELSE 'authorization_code' END, used / {DAY}, 1
FROM (SELECT n, began, CASE WHEN n % 10 = 1 THEN now - n % 3600
        ELSE began + (now - began) * (n % 97) / 97 END AS used, now, size, people, host
    FROM (SELECT n, now - 90 * {DAY} + n::bigint * 90 * {DAY} / size AS began, now, size, people, host
        FROM generate_series(1::bigint, %(size)s) AS n,
            (SELECT %(now)s::bigint AS now, %(size)s::bigint AS size, %(people)s::bigint AS people,
                %(host)s AS host) AS given) AS made) AS used
"""
_OTHERS = (
    "INSERT INTO users (name, creation_ts, admin, is_guest, deactivated, shadow_banned, approved,"
    " locked, suspended)"
    " SELECT '@crowd' || n || ':' || %(host)s, %(now)s - n, 0, 0, 0, 'f', 't', 'f', 'f'"
    " FROM generate_series(0, %(people)s - 1) AS n",
    "INSERT INTO nextgen_browsers (digest, user_id, sign_in_id, signed_in_at, last_active_at)"
    " SELECT md5('browser' || n), '@crowd' || n || ':' || %(host)s, md5('sign-in' || n),"
    f" %(now)s - n %% (80 * {DAY}), %(now)s - n %% (10 * {DAY})"
    " FROM generate_series(0, %(people)s - 1) AS n",
    "INSERT INTO devices (user_id, device_id, display_name, last_seen, ip, hidden)"
    " SELECT '@crowd' || n || ':' || %(host)s, 'STOCK', 'Crowd', (%(now)s - n)::bigint * 1000,"
    " '203.0.113.5', 'f' FROM generate_series(0, %(people)s / 4) AS n",
    "INSERT INTO access_tokens (id, user_id, device_id, token)"
    " SELECT 1000 + n, '@crowd' || n || ':' || %(host)s, 'STOCK', md5('token' || n)"
    " FROM generate_series(0, %(people)s / 4) AS n",
    "INSERT INTO nextgen_events (event_id, kind, happened_at, user_id)"
    " SELECT md5('event' || n),"
    " CASE WHEN n %% 1000 = 0 THEN 'password_changed' ELSE 'session_begun' END,"
    f" %(now)s - n %% (80 * {DAY}), '@crowd' || n || ':' || %(host)s"
    " FROM generate_series(0, %(people)s - 1) AS n",
)


def measure(scene: Scene) -> Iterator[Figure]:
    """Fill a database, and turn pages by each filter."""
    size = QUICK if scene.quick else SESSIONS
    with scene.new_homeserver("lists", module=MODULE) as homeserver:
        admin = homeserver.register_user("keeper", admin=True)
        server = Server(homeserver.base_url)
        tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
        now = int(time.time())
        given = {"size": size, "now": now, "people": size * 4 // 10, "host": homeserver.server_name}
        with opened(homeserver) as cursor:
            cursor.execute(_SESSIONS.replace(" % ", " %% "), given)
            for statement in _OTHERS:
                cursor.execute(statement, given)
        analyze(homeserver.database)
        teller = _Teller(homeserver, server, tokens["access_token"])
        yield from _figures(teller, now)


class _Teller:
    """Somebody who turns pages, and looks at the clock."""

    def __init__(self, homeserver: Homeserver, server: Server, token: str) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._root = server.url(ROOT)
        self._base = homeserver.base_url.rstrip("/")

    def get(self, url: str, **parameters: str) -> tuple[dict, float]:
        """Return an answer, and how long it took in milliseconds."""
        whole = self._base + url if url.startswith("/") else self._root + url
        began = time.perf_counter()
        answer = self._session.get(whole, params=parameters, timeout=60)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, answer.text
        return answer.json(), took

    def turn(self, kind: str, **parameters: str) -> list[float]:
        """Turn pages from both ends; return how long each took."""
        found = []
        for end, way in (("page[first]", "next"), ("page[last]", "prev")):
            told, took = self.get(kind, **parameters, **{end: "10"})
            found.append(took)
            while len(found) % PAGES and way in told["links"]:
                link = urlsplit(told["links"][way])
                told, took = self.get(f"{link.path}?{link.query}")
                found.append(took)
        return found


def _said(name: str, value: str) -> str:
    """Return a filter in short; ids, which are others each time, are left out."""
    return f"{name}={value}" if len(value) < 30 and "T" not in value else name


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _figures(teller: _Teller, now: int) -> Iterator[Figure]:
    told, _ = teller.get("sessions", **{"page[first]": "1", "count": "false"})
    session = told["data"][0]["attributes"]
    told, _ = teller.get("sessions", **{"page[last]": "50", "count": "false"})
    newest = [each["attributes"] for each in told["data"]]
    clients = {each["client_id"] for each in newest}
    rare = session["client_id"]
    address, device = session["last_active_ip"], newest[0]["device_id"] or "CROWDEVICE1"
    for kind, filters in (
        ("oauth2-sessions", {}),
        ("oauth2-sessions", {"status": "active"}),
        ("oauth2-sessions", {"status": "finished"}),
        ("oauth2-sessions", {"user": session["user_id"]}),
        ("oauth2-sessions", {"user": session["user_id"], "status": "active"}),
        ("oauth2-sessions", {"client": rare}),
        *(("oauth2-sessions", {"client": each}) for each in sorted(clients)[:3]),
        ("oauth2-sessions", {"client": rare, "status": "active"}),
        ("oauth2-sessions", {"client-kind": "dynamic"}),
        ("oauth2-sessions", {"client-kind": "static"}),
        ("oauth2-sessions", {"scope": API}),
        ("oauth2-sessions", {"scope": ADMIN}),
        ("oauth2-sessions", {"scope": READ}),
        ("sessions", {"scope": f"{DEVICE}{device}"}),
        ("oauth2-sessions", {"created-before": _moment(now - 45 * DAY)}),
        ("oauth2-sessions", {"created-after": _moment(now - 2 * DAY)}),
        ("oauth2-sessions", {"last-active-before": _moment(now - 60 * DAY)}),
        ("oauth2-sessions", {"last-active-before": _moment(now - 60 * DAY), "status": "active"}),
        ("oauth2-sessions", {"last-active-after": _moment(now - 600)}),
        ("sessions", {"address": address}),
        ("sessions", {"has-device": "false", "status": "active"}),
        ("sessions", {"client": rare, "last-active-before": _moment(now - 30 * DAY)}),
        ("personal-sessions", {}),
        ("personal-sessions", {"status": "active"}),
        ("user-sessions", {}),
        ("user-sessions", {"status": "active"}),
        ("compat-sessions", {}),
        ("compat-sessions", {"status": "active"}),
        ("events", {}),
        ("events", {"kind": "password_changed"}),
    ):
        parameters = {f"filter[{name}]": value for name, value in filters.items()}
        _, counted = teller.get(kind, **parameters, count="only")
        teller.turn(kind, **parameters, count="false")  # names are written down the first time
        named = " ".join(_said(*each) for each in filters.items()) or "all"
        for word, counts in (("", {"count": "false"}), (" with its count", {})):
            took = teller.turn(kind, **parameters, **counts)
            yield Figure(f"{kind} by {named}{word}", percentile(took, 95), "ms", wanted=WANTED)
        yield Figure(f"{kind} by {named}: the first count", counted, "ms")

"""Clients that use and refresh their sessions all the time, while something fails."""

import random
import threading
import time
from collections import Counter

import attrs
import requests

from support.crowd import Member
from support.deployment import PROCESSES
from support.waiting import eventually

WHOAMI = "/_matrix/client/v3/account/whoami"
NO_ANSWER = 0


@attrs.define
class Holder:
    """One client's copy of its session: what it would lose by a forced logout."""

    member: Member
    access_token: str
    refresh_token: str


@attrs.frozen
class Outcome:
    """What became of one request; `status` is `NO_ANSWER` when the connection broke.

    It was sent at `at` and over at `until`, both as `time.monotonic()` tells.
    """

    at: float
    until: float
    what: str
    status: int
    text: str

    @property
    def is_logout(self):
        """Whether a client would take it for the end of its session."""
        return 400 <= self.status < 500

    @property
    def is_failure(self):
        return self.status == NO_ANSWER or self.status >= 500


@attrs.define
class Load:
    """Some thirty requests per second, spread over the processes as a proxy does it.

    with Load(deployment, client, members) as load:
        ...
    assert not load.logouts
    """

    deployment: object
    client: object
    members: list
    per_second: float = 30
    outcomes: list = attrs.field(factory=list, init=False)
    holders: list = attrs.field(init=False)
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)
    _threads: list = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self):
        self.holders = [Holder(m, m.access_token, m.refresh_token) for m in self.members]

    def __enter__(self):
        count = min(6, len(self.holders))
        for n in range(count):
            pause = count / self.per_second
            thread = threading.Thread(target=self._run, args=(self.holders[n::count], pause))
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            # What is counted afterwards must have had its time, on a busy machine too.
            eventually(lambda: all(self.statuses()[what, 200] > 5 for what in ("refresh", "use")))
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def logouts(self):
        return [outcome for outcome in self.outcomes if outcome.is_logout]

    @property
    def failures(self):
        return [outcome for outcome in self.outcomes if outcome.is_failure]

    def unexplained(self, absences):
        """Return the failures of requests that were not under way while a process went away.

        `absences` are pairs of when its end began and when it was gone.
        """
        return [
            failure
            for failure in self.failures
            if not any(failure.at <= gone and failure.until >= begun for begun, gone in absences)
        ]

    def statuses(self):
        return Counter((outcome.what, outcome.status) for outcome in self.outcomes)

    def lost(self):
        """Return what is wrong with sessions that cannot go on, now that all is well again."""
        wrong = {}
        for holder in self.holders:
            answer = self.client.refresh(holder.refresh_token)
            if answer.status_code != 200:
                wrong[holder.member.session.session_id] = answer.text
                continue
            for name in PROCESSES:
                used = self.deployment.server(name).whoami(answer.json()["access_token"])
                if used.status_code != 200:
                    wrong[holder.member.session.session_id, name] = used.text
        return wrong

    def _run(self, holders, pause):
        with requests.Session() as http:
            while not self._stop.is_set():
                start = time.monotonic()
                holder = random.choice(holders)
                if random.random() < 0.4:
                    self._refresh(http, holder)
                else:
                    self._use(http, holder)
                self._stop.wait(max(0, pause - (time.monotonic() - start)))

    def _refresh(self, http, holder):
        form = {
            "grant_type": "refresh_token",
            "refresh_token": holder.refresh_token,
            "client_id": self.client.id,
        }
        answer = self._send(http, "refresh", "POST", "/_synapse/client/auth/token", data=form)
        if answer is not None and answer.status_code == 200:
            pair = answer.json()
            holder.access_token, holder.refresh_token = pair["access_token"], pair["refresh_token"]

    def _use(self, http, holder):
        headers = {"Authorization": f"Bearer {holder.access_token}"}
        self._send(http, "use", "GET", WHOAMI, headers=headers)

    def _send(self, http, what, method, path, **options):
        at = time.monotonic()
        answer, text = None, ""
        for name in random.sample(PROCESSES, len(PROCESSES)):
            url = self.deployment.process(name).base_url + path
            try:
                answer = http.request(method, url, timeout=30, **options)
                text = answer.text
            except requests.ConnectionError as error:
                text = repr(error)
                if "Connection refused" in text:
                    continue  # a proxy turns to the next process
            except requests.RequestException as error:
                text = repr(error)
            break
        status = NO_ANSWER if answer is None else answer.status_code
        self.outcomes.append(Outcome(at, time.monotonic(), what, status, text[:300]))
        return answer

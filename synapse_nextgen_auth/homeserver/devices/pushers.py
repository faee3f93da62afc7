"""Pushers go with the session that set them, also where its device stays.

Synapse deletes them with the device. When a session ends and the device stays for the person to come
back to, a pusher would go on telling whoever set it what is said in rooms without encryption.
"""

from synapse_nextgen_auth.accounts.outbox import NotYet
from synapse_nextgen_auth.accounts.works import AddEmailPusher, RemovePushers
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import DEVICE_STAYS, Session, is_left_behind
from synapse_nextgen_auth.store import sessions

NEEDS = (
    *members("synapse.server", "HomeServer", "get_pusherpool"),
    Needed("synapse.push.pusherpool", "PusherPool.remove_pusher", ("app_id", "pushkey", "user_id")),
    Needed(
        "synapse.push.pusherpool",
        "PusherPool.add_or_update_pusher",
        (
            "user_id",
            "device_id",
            "kind",
            "app_id",
            "app_display_name",
            "device_display_name",
            "pushkey",
            "lang",
            "data",
        ),
    ),
    Needed("synapse.storage.databases.main", "DataStore.user_get_threepids", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_devices_by_user", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_pushers_by_user_id", ("user_id",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_pushers_by_app_id_and_pushkey",
        ("app_id", "pushkey"),
    ),
)


class Pushers:
    """What the end of a session does to the pushers of its device, in the main process.

    No refusal waits for it. What a request on its way sets after this is undone by that request
    (`set_pusher.py`).
    """

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver

    async def remove(self, work: RemovePushers) -> None:
        """Remove what the session left behind; what is gone already is fine."""
        session: Session | None = await self._homeserver.read(sessions.get, work.session)
        if session is None or session.device_id is None or session.end_reason not in DEVICE_STAYS:
            return
        pool, store = self._homeserver.hs.get_pusherpool(), self._homeserver.store
        # First what there is, then who has the device: nobody else can have set it before.
        found = list(await store.get_pushers_by_user_id(session.user_id))
        since = await self._homeserver.run(end_session.taken_over_since, session)
        now = self._homeserver.now()
        for pusher in found:
            if pusher.device_id != session.device_id:
                continue
            if is_left_behind(pusher.ts, since=since, ended=work.ended, now=now):
                again = await store.get_pushers_by_app_id_and_pushkey(pusher.app_id, pusher.pushkey)
                if any(one.id == pusher.id for one in again):  # else it was set anew meanwhile
                    await pool.remove_pusher(pusher.app_id, pusher.pushkey, session.user_id)

    async def add_for_email(self, work: AddEmailPusher) -> None:
        """Give a new account its pusher by e-mail, as `/register` does, which makes a device at once.

        Here the device comes with the first session, so it is waited for.
        """
        store, user_id = self._homeserver.store, work.user_id
        # An account that was closed meanwhile has no address any more.
        threepids = await store.user_get_threepids(user_id)
        addresses = [each.address for each in threepids if each.medium == "email"]
        present = {each.pushkey for each in await store.get_pushers_by_user_id(user_id)}
        missing = [each for each in addresses if each not in present]
        if not missing:
            return
        devices = await store.get_devices_by_user(user_id)
        if not devices:
            raise NotYet
        for address in missing:
            await self._homeserver.hs.get_pusherpool().add_or_update_pusher(
                user_id=user_id,
                device_id=next(iter(devices)),
                kind="email",
                app_id="m.email",
                app_display_name="Email Notifications",
                device_display_name=address,
                pushkey=address,
                lang=None,
                data={},
            )

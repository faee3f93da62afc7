"""What somebody needs to set up a factor: a secret that is shown, and recovery codes."""

from synapse_nextgen_auth.accounts.factors import apps, recovery_codes
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret, random_id
from synapse_nextgen_auth.store import factors as rows
from synapse_nextgen_auth.web import qr
from synapse_nextgen_auth.web.pages.factor.page import CodesPage, SecretShown
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.visits import Visit


def new_app(site: Site, user_id: str, name: str) -> App:
    """Return an app with a secret of its own, to be shown and confirmed."""
    keys, app_id, now = site.issuer.keys, random_id(), site.now()
    return App.of(keys, apps.draw(), app_id=app_id, user_id=user_id, name=name, now=now)


async def find_unconfirmed(visit: Visit, app_id: str, user_id: str) -> App | None:
    """Return the app of this account that waits for its code (C294, C301)."""
    app = await visit.site.homeserver.read(rows.get_app, app_id, user_id)
    if app is None or not app.awaits_code(visit.site.now()):
        return None
    visit.reader.ends(app.made_at + apps.UNCONFIRMED_FOR)
    return app


def shown(site: Site, app: App) -> SecretShown | None:
    """Return the secret of an app as a page shows it; `None` where no key of ours fits."""
    secret = app.opened(site.issuer.keys)
    if secret is None:
        return None
    uri = apps.uri(secret, server_name=site.server_name, user_id=app.user_id)
    return SecretShown(qr.draw(uri), apps.in_groups(secret), uri)


@frozen
class NewCodes:
    """Recovery codes that were drawn, and what is kept of them."""

    codes: tuple[Secret, ...]
    kept: tuple[RecoveryCode, ...]

    @classmethod
    def draw(cls, site: Site, user_id: str) -> "NewCodes":
        """Draw them."""
        keys, now, codes = site.issuer.keys, site.now(), recovery_codes.draw()
        return cls(
            codes, tuple(RecoveryCode.of(keys, each, user_id=user_id, now=now) for each in codes)
        )

    def page(
        self,
        visit: Visit,
        user_id: str,
        *,
        action: str,
        with_app: bool = False,
        with_factor: bool = False,
    ) -> CodesPage:
        """Return the page that shows them, once; `action` is where it goes on.

        They came with an app, or with another factor, or by themselves.
        """
        return CodesPage(
            csrf=visit.csrf,
            server_name=visit.site.server_name,
            user_id=user_id,
            codes=tuple(map(recovery_codes.written, self.codes)),
            made_at=visit.site.now(),
            sign_in_at=visit.site.issuer.identifier,
            action=action,
            with_app=with_app,
            with_factor=with_factor,
        )

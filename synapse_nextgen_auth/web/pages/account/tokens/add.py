"""The form for another personal token, and the page that shows it, once."""

import string

import attrs

from synapse_nextgen_auth.accounts.invitations import in_words
from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.flows.personal_tokens import Living
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Device
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.accounts import Newcomer
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import API
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import (
    PARTS,
    POWERS,
    Limits,
    Refusal,
    Wanted,
)
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import random_letters
from synapse_nextgen_auth.web import admission, answers, personal_tokens
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.pages.account import console
from synapse_nextgen_auth.web.pages.account.tokens.page import (
    AddTokenPage,
    DeviceChoice,
    LifetimeChoice,
    PartChoice,
    TokenMadePage,
)
from synapse_nextgen_auth.web.pages.account.tokens.tokens import listed
from synapse_nextgen_auth.web.pages.message.error import unknown_choice
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.visits import Visit

# What the fields of the form are called. What may be a secret by its name does not come back to
# whoever had to prove again who they are.
FIELDS = dict(
    zip(
        (
            *("may_whole", "may_read", "may_send", "may_join", "may_manage", "may_profile"),
            *("may_settings", "may_notify", "may_upload", "may_encrypt"),
            *("may_look_after", "may_manage_accounts", "may_administer"),
        ),
        PARTS,
        strict=True,
    )
)
_NEW, _NONE, _AT, _FOREVER = "new", "none", "at ", "forever"
_MONTH = 30 * 24 * 3600
_STATUS = {Refusal.TOO_MANY: 409, Refusal.NO_ROOM: 409, Refusal.NOT_ALLOWED: 403}


@frozen
class _Typed:
    """The form as somebody filled it in; `lifetime` is what it says, be it what it may."""

    name: str = ""
    parts: frozenset[str] = frozenset()
    rooms: str = ""
    device: str = _NEW
    lifetime: str = str(_MONTH)

    @classmethod
    def read(cls, form: Form) -> "_Typed":
        return cls(
            in_words(form.get("name", "")),
            frozenset(scope for field, scope in FIELDS.items() if form.get(field)),
            form.get("rooms", ""),
            form.get("device", _NEW),
            form.get("lifetime", ""),
        )

    @classmethod
    def renewing(cls, former: Living) -> "_Typed":
        scope, session = former.session.granted, former.session
        made, expires = former.token.made_at, session.expires_at
        return cls(
            former.token.name,
            scope.effective & frozenset(PARTS),
            "\n".join(scope.rooms),
            _NONE if session.device_id is None else _AT + session.device_id,
            _FOREVER if expires is None else str(expires - made),
        )

    @property
    def seconds(self) -> int | None:
        """For how long it is to be good; 0 for what nobody could choose."""
        if self.lifetime == _FOREVER:
            return None
        is_number = self.lifetime.isascii() and self.lifetime.isdigit() and len(self.lifetime) < 12
        return int(self.lifetime) if is_number else 0

    def wanted(self, device_id: str | None) -> Wanted:
        """Return what is wanted, with this device."""
        return Wanted(self.name, self.parts, tuple(self.rooms.split()), device_id, self.seconds)


@frozen
class _Asked:
    """What is asked of whom: the form of which page, within which limits, and what is wrong with it."""

    target: Target
    former: Living | None
    typed: _Typed
    limits: Limits
    problem: Refusal | None = None
    is_less: bool = False


async def show(visit: Visit, user_id: str) -> Outgoing:
    """Ask what it is for; the one that it takes the place of fills the form in."""
    target, former = await _found(visit, user_id)
    is_password = _is_password(visit, target)
    if target.id is not None and former is None and not is_password:
        return await listed(user_id, visit, target)
    if not await personal_tokens.may_make(visit.site, user_id):
        return answers.redirect(Place.TOKENS.value)
    typed = _Typed(parts=frozenset({API})) if is_password else _Typed()
    limits = await personal_tokens.limits_of(visit.site, user_id)
    is_less = False
    if former is not None:
        typed = _Typed.renewing(former)
        is_less = not typed.parts <= limits.parts
    if visit.typed:
        typed = _Typed.read(visit.typed)
    return await _page(visit, user_id, _Asked(target, former, typed, limits, is_less=is_less))


async def make(visit: Visit, user_id: str, form: Form) -> Outgoing:
    """Make it, and show it in the answer: nobody sees it again."""
    if form.get("decision") != "make":
        raise unknown_choice()
    site = visit.site
    target, former = await _found(visit, user_id)
    if target.id is not None and former is None and not _is_password(visit, target):
        return await listed(user_id, visit, target)
    if not await personal_tokens.may_make(site, user_id):
        return answers.redirect(Place.TOKENS.value)
    typed = _Typed.read(form)
    devices = await personal_tokens.devices_for(site, user_id)
    device_id = _device_id(typed.device, devices)
    if typed.device == _NEW and rules.is_of_no_device(typed.parts):
        typed = attrs.evolve(typed, device=_NONE)
        device_id = None
    wanted, limits = typed.wanted(device_id), await personal_tokens.limits_of(site, user_id)
    refusal = rules.refuse(wanted, limits)
    if device_id is None and typed.device != _NONE:
        refusal = Refusal.NO_SUCH_DEVICE
    if refusal is not None:
        return await _page(visit, user_id, _Asked(target, former, typed, limits, refusal))
    other_account_url = Onward.to_account(target).accounts_url
    newcomer = Newcomer(device_id, wanted.name, visit.user_agent, visit.address)
    await admission.admit_application(
        site, user_id, wanted.scope, other_account_url=other_account_url, newcomer=newcomer
    )
    made = await personal_tokens.make(
        visit, wanted, limits, replaces=former, other_account_url=other_account_url
    )
    if isinstance(made, Refusal):
        return await _page(visit, user_id, _Asked(target, former, typed, limits, made))
    page = TokenMadePage(
        **console.asks(visit, user_id, Target(Place.TOKENS)),
        name=wanted.name,
        token=made.token.reveal(),
        server_url=site.origin,
        device_id=made.session.device_id,
        expires_at=made.session.expires_at,
        back_url=Place.TOKENS.value,
        is_password=site.legacy.takes_tokens and made.session.device_id is not None,
        is_grave=wanted.scope.admin,
    )
    return visit.answer(page)


def _is_password(visit: Visit, target: Target) -> bool:
    """Say whether somebody came for one that goes in the place of a password."""
    return visit.site.legacy.takes_tokens and target.id == personal_tokens.AS_PASSWORD


async def _found(visit: Visit, user_id: str) -> tuple[Target, Living | None]:
    target = Target.read(Place.ADD_TOKEN.value, visit.parameters.get("id"))
    return target, await personal_tokens.find(visit.site, user_id, target.id)


def _device_id(chosen: str, devices: list[Device]) -> str | None:
    """Return the device of the choice: one of the account's own, or a new one (C301, C310)."""
    if chosen == _NEW:
        return random_letters(string.ascii_uppercase, 10)
    known = {_AT + each.device_id: each.device_id for each in devices}
    return known.get(chosen)


async def _page(visit: Visit, user_id: str, asked: _Asked) -> Outgoing:
    site, target, typed, limits = visit.site, asked.target, asked.typed, asked.limits
    former, problem = asked.former, asked.problem
    offered = (*limits.lifetimes, *([None] if limits.is_endless else []))
    chosen = _nearest(typed.seconds, limits.lifetimes)
    page = AddTokenPage(
        **console.of(visit, user_id, target),
        action=target.url,
        back_url=Place.TOKENS.value,
        longest_name=rules.LONGEST_NAME,
        most_rooms=grammar.MAX_ROOMS,
        permissions=tuple(
            PartChoice(field, scope, scope in typed.parts, scope in POWERS)
            for field, scope in FIELDS.items()
            if scope in limits.parts
        ),
        devices=tuple(
            DeviceChoice(
                _AT + each.device_id,
                each.name if each.name == each.device_id else f"{each.name} ({each.device_id})",
                typed.device == _AT + each.device_id,
            )
            for each in await personal_tokens.devices_for(site, user_id)
        ),
        lifetimes=tuple(LifetimeChoice(each, each == chosen) for each in offered),
        renews=former.token.name if former else None,
        name=typed.name,
        rooms=typed.rooms,
        takes_new=typed.device == _NEW,
        takes_none=typed.device == _NONE,
        problem=problem,
        is_less=asked.is_less,
        is_password=_is_password(visit, target),
    )
    return visit.answer(page, _STATUS.get(problem, 400) if problem else 200)


def _nearest(lifetime: int | None, offered: tuple[int, ...]) -> int | None:
    """Return which of the choices stands in the form."""
    if lifetime is None:
        return None
    return next((each for each in offered if each >= lifetime), offered[-1])

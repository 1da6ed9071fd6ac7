"""Callable faults of accounts, addresses, trunks, hooks and devices over HTTP.

Part of the fault catalogue; the faults of things that are created are made from a table of kinds, as each kind can break in
the same ways. Each function patches a Callable system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.responses import JSONResponse

from harness.reference.callable.api import ApiError
from harness.reference.faults.callable.members import SHOWN
from harness.reference.faults.fault import Collector, put, wrap

collect = Collector("callable")

Ask = Callable[..., Any]

# Kind, a text member of it that a sample shows, and a member of which people give several values.
_KINDS = (
    ("trunk", "Trunk", "description", "description"),
    ("hook", "Hook", "authType", "priority"),
    ("device", "Device", "name", "name"),
)


@collect("account-name-differs", "CA-account-read-is-listed", "an account is read under another name than it is listed")
def _account_differs(system: Any) -> None:
    wrap(system.api, "account_view", lambda show, account: show(account) | {"name": "Somebody Else"})


@collect("account-unknown-400", "CA-account-unknown-404", "an unknown account is answered 400")
def _account_unknown(system: Any) -> None:
    _unknown(system, "account_of", 400)


@collect("address-member-missing", "CA-address-members-shown", "an address is shown without postalCode")
def _address_member(system: Any) -> None:
    SHOWN["Address"](lambda shown: {name: value for name, value in shown.items() if name != "postalCode"}, system)


@collect("address-update-lost", "CA-address-update-shown", "an update of an address is answered 204 and forgotten")
def _address_lost(system: Any) -> None:
    put(system.store, "update_address", lambda _account, _values: None)


@collect("address-update-line-lost", "CA-address-update-shown", "an update of an address keeps line2 as it was")
def _address_line_lost(system: Any) -> None:
    def update(keep: Ask, account: Any, values: dict[str, Any]) -> None:
        keep(account, {name: value for name, value in values.items() if name != "line2"})

    wrap(system.store, "update_address", update)


@collect("address-update-everywhere", "CA-address-update-only-one", "an update changes the addresses of all accounts")
def _address_everywhere(system: Any) -> None:
    def update(keep: Ask, _account: Any, values: Any) -> None:
        for account in system.store.accounts.values():
            keep(account, values)

    wrap(system.store, "update_address", update)


@collect("trunk-id-leads-nowhere", "CA-getTrunk", "the id that a trunk is shown with is not the one it has")
def _shown_id(system: Any) -> None:
    def view(show: Ask, kind: str, record: Any) -> Any:
        return show(kind, record) | ({"id": f"{record.id}0"} if kind == "trunk" else {})

    def created(answer: Ask, asked: Any, item: str) -> Any:
        return answer(asked, f"{item}0" if asked.operation == "createTrunk" else item)

    wrap(system.api, "view", view)
    wrap(system.api, "created", created)


@collect("update-with-body", "CA-update-without-body", "updates answer 200 with what was updated")
def _update_body(system: Any) -> None:
    put(system.api, "changed", lambda asked: JSONResponse(asked.json))


def _not_listed(kind: str, system: Any) -> None:
    """The first thing of its kind is listed, later ones are not."""

    def listed(find: Ask, account: Any, asked: str) -> Any:
        return find(account, asked)[:1] if asked == kind else find(account, asked)

    wrap(system.store, "list_records", listed)


def _value_lost(kind: str, member: str, system: Any) -> None:
    def create(make: Ask, account: Any, made: str, values: Any) -> Any:
        return make(account, made, values | {member: None} if made == kind else values)

    wrap(system.store, "create", create)


def _member_missing(kind: str, member: str, system: Any) -> None:
    def view(show: Ask, shown: str, record: Any) -> Any:
        members = show(shown, record)
        return {name: value for name, value in members.items() if shown != kind or name != member}

    wrap(system.api, "view", view)


def _read_differs(operation: str, member: str, system: Any) -> None:
    """Reading one shows another value than the list does."""
    api = system.api
    run = api.operations[operation]

    async def read(asked: Any) -> Any:
        original = api.view
        api.view = lambda kind, record: original(kind, record) | {member: "other"}
        try:
            return await run(asked)
        finally:
            api.view = original

    api.operations[operation] = read


def _update_lost(kind: str, system: Any) -> None:
    def update(keep: Ask, account: Any, changed: str, record: Any, values: Any) -> None:
        if changed != kind:
            keep(account, changed, record, values)

    wrap(system.store, "update", update)


def _update_all(kind: str, member: str, system: Any) -> None:
    """What an update says counts for all things of the kind."""

    def update(keep: Ask, account: Any, changed: str, record: Any, values: Any) -> None:
        keep(account, changed, record, values)
        if changed == kind and member in values:
            for other in list(account.records[kind].values()):
                system.store.keep(account, kind, replace(other, values=other.values | {member: values[member]}))

    wrap(system.store, "update", update)


def _unknown(system: Any, method: str, status: int, kind: str | None = None) -> None:
    def find(look: Ask, *values: Any) -> Any:
        try:
            return look(*values)
        except ApiError as error:
            named = kind is None or values[0] == kind
            raise ApiError(status if error.status == 404 and named else error.status, error.words) from error

    wrap(system.api, method, find)


def _unknown_record(kind: str, system: Any) -> None:
    _unknown(system, "record_of", 400, kind)


for _kind, _name, _member, _varied in _KINDS:
    for _ending, _words, _apply in (
        ("created-listed", f"only the first {_kind} is listed", partial(_not_listed, _kind)),
        ("values-kept", f"a {_kind} is created without the {_member} given", partial(_value_lost, _kind, _member)),
        ("members-shown", f"a {_kind} is shown without {_member}", partial(_member_missing, _kind, _member)),
        (
            "read-is-listed",
            f"a {_kind} is read with another {_member} than it is listed",
            partial(_read_differs, f"get{_name}", _member),
        ),
        ("update-shown", f"an update of a {_kind} is answered 204 and forgotten", partial(_update_lost, _kind)),
        (
            "update-only-one",
            f"an update of {_varied} changes all things like the {_kind}",
            partial(_update_all, _kind, _varied),
        ),
        ("unknown-404", f"an unknown {_kind} is answered 400", partial(_unknown_record, _kind)),
    ):
        # The members of a device are told apart by its type.
        if (_kind, _ending) != ("device", "members-shown"):
            collect.add(f"{_kind}-not-{_ending}", f"CA-{_kind}-{_ending}", _words, _apply)


@collect(
    "gateway-member-missing", "CA-device-gateway-members", "a SIP_GATEWAY is shown without its settings for onBusy"
)
def _gateway_member(system: Any) -> None:
    _settings_without(system, "sipGateway", "onBusy")


@collect("route-start-member-missing", "CA-device-route-start-members", "a ROUTE_START is shown without connectTo")
def _route_start_member(system: Any) -> None:
    _settings_without(system, "startRoute", "connectTo")


@collect("connect-to-device-refused", "CA-device-connect-to", "connectTo takes no id of a device")
def _connect_to_device(system: Any) -> None:
    _refuse_connect_to(system, lambda onward: onward != "HANGUP")


@collect("connect-to-hangup-refused", "CA-device-connect-to", "connectTo does not take HANGUP")
def _connect_to_hangup(system: Any) -> None:
    _refuse_connect_to(system, lambda onward: onward == "HANGUP")


def _settings_without(system: Any, group: str, member: str) -> None:
    def change(shown: dict[str, Any]) -> dict[str, Any]:
        settings = shown.get(group)
        if not isinstance(settings, dict):
            return shown
        return shown | {group: {name: value for name, value in settings.items() if name != member}}

    SHOWN["Device"](change, system)


def _refuse_connect_to(system: Any, refused: Callable[[object], bool]) -> None:
    async def values_of(read: Ask, asked: Any) -> Any:
        body = await read(asked)
        settings = body.get("startRoute")
        if isinstance(settings, dict) and "connectTo" in settings and refused(settings["connectTo"]):
            raise ApiError(400, "connectTo is not accepted")
        return body

    wrap(system.api, "values_of", values_of)

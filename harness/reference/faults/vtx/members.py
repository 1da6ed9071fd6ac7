"""VTX faults by member: one member of an answer or of a push is missing, of a type that was never sampled, or malformed.

Part of the fault catalogue; made from tables, as each member can break in the same ways. The clause of a member bears its
name in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, wrap

collect = Collector("vtx")

# Member to a value of a type that the sample does not have.
SERVER = {
    "buildCustomer": 17,
    "buildVersion": 7.8,
    "buildNumber": 1,
    "buildDate": 1706698800,
    "bulkLimitCommon": "many",
    "bulkLimitAddUser": None,
    "bulkLimitAddAddressBookEntry": "many",
}
SUBSCRIPTION = {
    "id": 17,
    "resourceType": 17,
    "resourceIds": "all",
    "userIds": "all",
    "notificationUrl": ["http://127.0.0.1/"],
    "expires": 1706698800,
    "creatorId": 17,
    "creatorRole": 17,
    "creatorIsImpersonated": "no",
    "applicationId": 17,
    "created": 1706698800,
    "modified": 1706698800,
}
EVENT = {
    "changeType": 17,
    "callLog": "none",
    "callLog.id": 17,
    "callLog.userId": "somebody",
    "callLog.callStart": 1706698800,
    "callLog.duration": "long",
    "callLog.direction": 17,
    "callLog.callType": 17,
    "callLog.status": "ended",
    "callLog.callPartyNumber": 41215550199,
    "callLog.callPartyDialNumber": 215550199,
    "eventTime": 1706698800,
    "context": "none",
    **{
        path: value
        for name in ("user", "site", "enterprise", "serviceProvider")
        for path, value in (
            (f"context.{name}", 17),
            (f"context.{name}.id", "some"),
            (f"context.{name}.name", 17),
        )
    },
}
# Clause (without its prefix) to a value of the right type that has not the usual form.
SERVER_FORMS: dict[str, object] = {
    "buildDate:pattern": "yesterday",
    "bulkLimitCommon:minimum": -1,
    "bulkLimitAddUser:minimum": -1,
    "bulkLimitAddAddressBookEntry:minimum": -1,
}
SUBSCRIPTION_FORMS: dict[str, object] = {
    f"{name}:pattern": "Fri Jan 31 12:00:00 2025" for name in ("expires", "created", "modified")
}
EVENT_FORMS: dict[str, object] = {
    "callLog.callStart:pattern": "2025-01-31 12:00:00",
    "callLog.duration:minimum": -1,
    "callLog.direction:enum": "MO",
    "eventTime:pattern": "2025-01-31T12:00:00.000",
}


def changed(members: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with the member at `path` (names joined by points) replaced."""
    name, point, rest = path.partition(".")
    return members | {name: changed(members[name], rest, value) if point else value}


def without(members: dict[str, Any], path: str) -> dict[str, Any]:
    """A copy that lacks the member at `path`."""
    name, point, rest = path.partition(".")
    if point:
        return members | {name: without(members[name], rest)}
    return {key: value for key, value in members.items() if key != name}


def _server(change: Callable[[Any], Any], vtx: Any) -> None:
    wrap(vtx.api, "server_members", lambda members: change(members()))


def _subscription(change: Callable[[Any], Any], vtx: Any) -> None:
    for view in ("view", "new_view"):
        wrap(vtx.api, view, lambda show, one: change(show(one)))


def _event(change: Callable[[Any], Any], vtx: Any) -> None:
    wrap(vtx.call_logs, "event", lambda event, *known: change(event(*known)))


for _kind, _clause, _apply, _types, _forms in (
    ("server", "Server", _server, SERVER, SERVER_FORMS),
    ("subscription", "Subscription", _subscription, SUBSCRIPTION, SUBSCRIPTION_FORMS),
    ("event", "CallLogPush.callLogEvents", _event, EVENT, EVENT_FORMS),
):
    _where = {"server": "the server's version", "subscription": "a subscription", "event": "a pushed event"}[_kind]
    for _path, _value in _types.items():
        _name = f"{_kind}-{_path}".replace(".", "-")
        collect.add(
            f"{_name}-type",
            f"VX-{_clause}.{_path}",
            f"{_path} of {_where} is {_value!r}",
            partial(_apply, partial(changed, path=_path, value=_value)),
        )
        collect.add(
            f"{_name}-missing",
            f"VX-{_clause}.{_path}",
            f"{_where} has no {_path}",
            partial(_apply, partial(without, path=_path)),
        )
    for _form, _value in _forms.items():
        _path = _form.partition(":")[0]
        collect.add(
            f"{_kind}-{_path}-form".replace(".", "-"),
            f"VX-{_clause}.{_form}",
            f"{_path} of {_where} is {_value!r}",
            partial(_apply, partial(changed, path=_path, value=_value)),
        )


def _push(change: Callable[[Any], Any], vtx: Any) -> None:
    wrap(vtx.call_logs, "payload", lambda payload, *known: change(payload(*known)))


for _name, _clause, _words, _change in (
    (
        "push-no-subscription-id",
        "subscriptionId",
        "a push has no subscriptionId",
        partial(without, path="subscriptionId"),
    ),
    (
        "push-subscription-id-number",
        "subscriptionId",
        "subscriptionId of a push is the number 17",
        partial(changed, path="subscriptionId", value=17),
    ),
    ("push-no-events", "callLogEvents", "a push has no callLogEvents", partial(without, path="callLogEvents")),
    (
        "push-events-object",
        "callLogEvents",
        "callLogEvents of a push is one event, not a list",
        lambda members: changed(members, "callLogEvents", members["callLogEvents"][0]),
    ),
    (
        "push-events-empty",
        "callLogEvents:minItems",
        "callLogEvents of a push is empty",
        partial(changed, path="callLogEvents", value=[]),
    ),
):
    collect.add(_name, f"VX-CallLogPush.{_clause}", _words, partial(_push, _change))


@collect("push-bare-list", "VX-pushCallLog.body", "a push is the list of its events, not an object")
def _push_bare_list(vtx: Any) -> None:
    _push(lambda members: members["callLogEvents"], vtx)


@collect("list-other-member", "VX-SubscriptionList.subscriptions", "the list is in a member named items")
def _list_other_member(vtx: Any) -> None:
    wrap(vtx.api, "list_members", lambda members: {"items": members()["subscriptions"]})


@collect(
    "created-bare", "VX-SubscriptionAnswer.subscription", "a new subscription is shown without subscription around it"
)
def _created_bare(vtx: Any) -> None:
    wrap(vtx.api, "created_members", lambda members, made: members(made)["subscription"])

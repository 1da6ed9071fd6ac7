"""Promises that a healthy VTX system keeps, each with the faults that break it; for tests only."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from harness.reference.faults.vtx import members as vtx_members
from harness.reference.faults.vtx import operations as vtx_operations
from tests.reference.vtx.client import soon, subscription
from tests.reference.vtx.in_process import Rig, busy

Promise = Callable[[Rig], Awaitable[bool]]
PROMISES: dict[str, Promise] = {}

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def breaks(*faults: str) -> Callable[[Promise], Promise]:
    def declare(promise: Promise) -> Promise:
        PROMISES.update({f"vtx-{fault}": promise for fault in faults})
        return promise

    return declare


def _members(kind: str) -> list[str]:
    ids = [fault.id.partition("-")[2] for fault in vtx_members.collect.faults]
    return [name for name in ids if name.startswith(kind)]


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _types(member) for name, member in value.items()}
    return [_types(value[0])] if isinstance(value, list) and value else type(value)


@breaks("login-refused", *_members("server-"))
async def _server_as_sampled(made: Rig) -> bool:
    await made("GET", "/v1/system/server")
    answer = await made("GET", "/v1/system/server")
    texts = dict.fromkeys(("buildCustomer", "buildVersion", "buildNumber", "buildDate"), str)
    limits = dict.fromkeys(("bulkLimitCommon", "bulkLimitAddUser", "bulkLimitAddAddressBookEntry"), int)
    if answer.status_code != 200 or _types(answer.json()) != texts | limits:
        return False
    limited = all(answer.json()[name] >= 0 for name in limits)
    return limited and bool(re.match(r"\d{4}-\d\d-\d\d", answer.json()["buildDate"]))


_SUBSCRIPTION_TYPES = {
    **dict.fromkeys(("id", "resourceType", "notificationUrl", "expires", "creatorId", "creatorRole"), str),
    **dict.fromkeys(("applicationId", "created", "modified"), str),
    "resourceIds": [str],
    "userIds": [int],
    "creatorIsImpersonated": bool,
}


@breaks("list-other-member", "created-bare", *_members("subscription-"))
async def _subscription_as_sampled(made: Rig) -> bool:
    body = subscription("http://127.0.0.1:9/", made.users[0].id)
    created = (await made("POST", "/v1/subscriptions", json=body)).json()
    listed = (await made("GET", "/v1/subscriptions")).json()
    if list(created) != ["subscription"] or list(listed) != ["subscriptions"]:
        return False
    return all(
        _types(one) == _SUBSCRIPTION_TYPES
        and all(_INSTANT.fullmatch(one[name]) for name in ("expires", "created", "modified"))
        for one in (created["subscription"], *listed["subscriptions"])
    )


_PARTY = {"id": int, "name": str}
_EVENT_TYPES = {
    "changeType": str,
    "callLog": {
        **dict.fromkeys(("id", "callStart", "direction", "callType", "callPartyNumber", "callPartyDialNumber"), str),
        **dict.fromkeys(("userId", "duration", "status"), int),
    },
    "eventTime": str,
    "context": dict.fromkeys(("user", "site", "enterprise", "serviceProvider"), _PARTY),
}


@breaks(*_members("event-"), *_members("push-"))
async def _push_as_sampled(made: Rig) -> bool:
    subscribed = await made.subscribe(made.users[0])
    await made.anna.talk(made.users[1].number)
    await made.settled()
    (push,) = made.receiver.pushes
    body = push["body"]
    if not isinstance(body, dict) or _types(body) != {"subscriptionId": str, "callLogEvents": [_EVENT_TYPES]}:
        return False
    (event,) = body["callLogEvents"]
    log = event["callLog"]
    formed = _INSTANT.fullmatch(log["callStart"]) and _INSTANT.fullmatch(event["eventTime"])
    return bool(
        formed
        and log["duration"] == 0
        and log["direction"] == "OUTGOING"
        and body["subscriptionId"] == subscribed["id"]
    )


@breaks(*(fault.id.partition("-")[2] for fault in vtx_operations.collect.faults))
async def _life_cycle(made: Rig) -> bool:
    """Each operation once, with all values, as it ought to go."""
    body = subscription("http://127.0.0.1:9/", made.users[0].id)
    created = await made("POST", "/v1/subscriptions", json=body)
    if created.status_code != 201 or not isinstance(created.json(), dict) or not _is_json(created):
        return False
    one = f"/v1/subscriptions/{created.json()['subscription']['id']}"
    for path in ("/v1/system/server", "/v1/subscriptions", f"/v1/users/{made.users[0].id}/presence"):
        answer = await made("GET", path)
        if answer.status_code != 200 or not isinstance(answer.json(), dict) or not _is_json(answer):
            return False
    extended = await made("PATCH", one, json={"expires": soon(90)})
    return extended.status_code == 200 and (await made("DELETE", one)).status_code == 204


def _is_json(answer: httpx.Response) -> bool:
    return bool(answer.headers["content-type"] == "application/json")


@breaks("login-unchecked", "password-unchecked", "list-without-login", "no-login-403")
async def _login_needed(made: Rig) -> bool:
    login = base64.b64encode(f"{made.system.login.username}:wrong".encode()).decode()
    statuses = {
        (await made("GET", path, headers=headers, auth=None)).status_code
        for path in ("/v1/subscriptions", "/v1/system/server")
        for headers in ({}, {"authorization": f"Basic {login}"})
    }
    return statuses == {401}


@breaks("application-unchecked")
async def _application_needed(made: Rig) -> bool:
    del made.http.headers["x-c5-application"]
    return 400 <= (await made("GET", "/v1/system/server")).status_code < 500


@breaks("refusals-500")
async def _refusals_are_4xx(made: Rig) -> bool:
    return (await made("POST", "/v1/subscriptions", json={})).status_code == 400


@breaks("newest-not-listed", "list-other-expires", "list-newest-only", "same-id")
async def _listed_as_created(made: Rig) -> bool:
    created = [await made.subscribe(made.users[0]) for _ in range(2)]
    listed = await made.listed()
    shown = [(one["id"], one["expires"]) for one in listed]
    return shown == [(one["id"], one["expires"]) for one in created] and len({one["id"] for one in listed}) == 2


@breaks(
    *("url-query-lost", "last-user-lost", "expires-lengthened", "resource-ids-other"),
    *("creator-other", "application-other", "created-zone-lost"),
)
async def _values_kept(made: Rig) -> bool:
    ids = [made.users[0].id, made.users[1].id]
    body = subscription("http://127.0.0.1:9/calls?a=1", *ids)
    shown = (await made("POST", "/v1/subscriptions", json=body)).json()["subscription"]
    now = datetime.now(UTC)
    return bool(
        all(shown[name] == body[name] for name in ("userIds", "notificationUrl", "resourceType"))
        and shown["resourceIds"] == [str(user_id) for user_id in ids]
        and datetime.fromisoformat(shown["expires"]) == datetime.fromisoformat(body["expires"])
        and shown["creatorId"] == made.system.login.username
        and shown["applicationId"] == made.system.login.application
        and abs(datetime.fromisoformat(shown["created"]) - now) < timedelta(seconds=5)
    )


@breaks("delete-ignored", "delete-takes-all", "deleted-again-204")
async def _deleted_is_gone(made: Rig) -> bool:
    one, other = await made.subscribe(made.users[0]), await made.subscribe(made.users[0])
    await made("DELETE", f"/v1/subscriptions/{one['id']}")
    listed = [kept["id"] for kept in await made.listed()]
    return listed == [other["id"]] and (await made("DELETE", f"/v1/subscriptions/{one['id']}")).status_code == 404


@breaks("shown-id-leads-nowhere")
async def _shown_id_is_its_own(made: Rig) -> bool:
    one = await made.subscribe(made.users[0])
    return (await made("DELETE", f"/v1/subscriptions/{one['id']}")).status_code == 204


@breaks("unknown-400")
async def _unknown_is_404(made: Rig) -> bool:
    await made.subscribe(made.users[0])
    return (await made("DELETE", "/v1/subscriptions/00000000-0000-4000-8000-000000000000")).status_code == 404


@breaks("extension-lost")
async def _extended(made: Rig) -> bool:
    one, later = await made.subscribe(made.users[0]), soon(600)
    await made("PATCH", f"/v1/subscriptions/{one['id']}", json={"expires": later})
    return datetime.fromisoformat((await made.listed())[0]["expires"]) == datetime.fromisoformat(later)


@breaks("expired-listed", "push-after-expiry")
async def _expired_is_gone(made: Rig) -> bool:
    await made.subscribe(made.users[0], seconds=0.05)
    await asyncio.sleep(0.06)
    await made.anna.talk(made.users[1].number)
    await made.settled()
    return await made.listed() == [] and made.receiver.pushes == []


@breaks("life-unlimited")
async def _three_days_at_most(made: Rig) -> bool:
    body = subscription("http://127.0.0.1:9/", made.users[0].id, seconds=4 * 86_400)
    return (await made("POST", "/v1/subscriptions", json=body)).status_code == 400


@breaks("presence-constant", "push-at-answer")
async def _during_a_call(made: Rig) -> bool:
    """Presence shows the call, and nothing is pushed for as long as it is up."""
    path = f"/v1/users/{made.users[0].id}/presence"
    await made.subscribe(made.users[0])
    before = (await made("GET", path)).json()
    call = await made.anna.call(made.users[1].number)
    await call.answered()
    during = (await made("GET", path)).json()
    quiet = asyncio.get_running_loop().time() + 1
    while not made.receiver.pushes and asyncio.get_running_loop().time() < quiet:
        await asyncio.sleep(0.01)
    early = list(made.receiver.pushes)
    call.hangup()
    await made.settled()
    return before != during and not early


@breaks(
    *("push-never", "push-other-host", "push-other-path", "push-other-subscription-id", "push-other-context"),
    *("push-twice", "push-other-user-id", "call-type-other", "direction-swapped"),
    *("call-start-zone-lost", "dialled-number-normalised", "party-number-own"),
    *("change-type-other", "event-time-zone-lost"),
)
async def _a_call_is_told(made: Rig) -> bool:
    one = await made.subscribe(made.users[0], path="/calls?a=1")
    now = datetime.now(UTC)
    await made.anna.talk("0225550102")
    await made.settled()
    if [push["path"] for push in made.receiver.pushes] != ["/calls?a=1"]:
        return False
    body = made.receiver.pushes[0]["body"]
    (event,) = body["callLogEvents"]
    log, user = event["callLog"], made.users[0]
    return bool(
        body["subscriptionId"] == one["id"]
        and event["changeType"] == "CREATED"
        and event["context"]["user"] == {"id": user.id, "name": user.name}
        and (log["userId"], log["callType"], log["direction"]) == (user.id, "VOICE", "OUTGOING")
        and (log["callPartyNumber"], log["callPartyDialNumber"]) == (made.users[1].number, "0225550102")
        and all(
            abs(datetime.fromisoformat(text) - now) < timedelta(seconds=5)
            for text in (log["callStart"], event["eventTime"])
        )
    )


@breaks("duration-milliseconds", "duration-minutes")
async def _duration_in_seconds(made: Rig) -> bool:
    await made.subscribe(made.users[0])
    await made.anna.talk(made.users[1].number, 0.7)
    await made.settled()
    return [log["duration"] for log in made.receiver.logs()] == [1]


@breaks("push-first-only", "push-same-log-id", "receiver-given-up")
async def _each_call_is_told(made: Rig) -> bool:
    await made.subscribe(made.users[0])
    for statuses in ([200], [500, 500], [200]):
        made.receiver.statuses = statuses
        await made.anna.talk(made.users[1].number)
        await made.settled()
    return len({log["id"] for log in made.receiver.logs()}) == 2


@breaks("push-answered-only", "duration-unanswered")
async def _an_attempt_is_told(made: Rig) -> bool:
    await made.subscribe(made.users[0])
    made.bert.answer = busy
    call = await made.anna.call(made.users[1].number)
    await call.ended()
    await made.settled()
    return [log["duration"] for log in made.receiver.logs()] == [0]


@breaks("push-caller-only", "push-one-subscription", "push-all-users")
async def _each_subscribed_user_is_told(made: Rig) -> bool:
    anna, bert, carl = made.users[:3]
    both = await made.subscribe(anna, bert)
    one = await made.subscribe(anna)
    await made.subscribe(carl)
    await made.anna.talk(bert.number)
    await made.settled()
    told = [[log["userId"] for log in made.receiver.logs(which)] for which in (both, one)]
    return told == [[anna.id, bert.id], [anna.id]] and len(made.receiver.pushes) == 2


@breaks("push-after-delete")
async def _a_deleted_one_is_not_told(made: Rig) -> bool:
    one = await made.subscribe(made.users[0])
    await made("DELETE", f"/v1/subscriptions/{one['id']}")
    await made.anna.talk(made.users[1].number)
    await made.settled()
    return made.receiver.pushes == []

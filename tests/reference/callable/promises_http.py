"""Promises that a healthy Callable system keeps over HTTP, each with the faults that break it; for tests only."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path

import jsonschema
import yaml

from harness.reference.faults.callable import members as callable_members
from harness.reference.faults.callable import operations as callable_operations
from tests.reference.callable.client import GATEWAY, HANGUP, HOOK, TRUNK, Json, dial, say
from tests.reference.callable.in_process import Rig, until

Promise = Callable[[Rig], Awaitable[bool]]
PROMISES: dict[str, Promise] = {}
# Promises that need access tokens which live a second only.
SHORT_LIVED: set[Promise] = set()


def breaks(*faults: str) -> Callable[[Promise], Promise]:
    def declare(promise: Promise) -> Promise:
        PROMISES.update({f"callable-{fault}": promise for fault in faults})
        return promise

    return declare


@lru_cache(maxsize=1)
def _schemas() -> Json:
    file = Path(__file__).resolve().parents[3] / "specs" / "callable" / "openapi.yaml"
    document: Json = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def problems(schema: str, shown: object) -> set[str]:
    """What in an answer breaks its schema, as the end of a clause's id: a member, or a member and a keyword."""
    found = {"$ref": f"#/components/schemas/{schema}", "components": _schemas()["components"]}
    named = set()
    for error in jsonschema.Draft202012Validator(found).iter_errors(shown):
        path = ".".join(str(step) for step in error.absolute_path if isinstance(step, str))
        if error.validator == "required":
            path = f"{path}.{error.message.split(chr(39))[1]}".lstrip(".")
        named |= {path, f"{path}:{error.validator}"}
    return named


_ROUTE: Json = {"type": "ROUTE_START", "name": "Start", "extension": "600"}
_GATE: Json = {"type": "SIP_GATEWAY", "name": "Gateway", "extension": "601"}


async def shown(rig: Rig) -> dict[str, list[object]]:
    """Everything that the API shows, by schema, with every value given."""
    ddis = (await rig("GET", "/ddi")).json()
    route = _ROUTE | {"startRoute": {"ddis": [one["id"] for one in ddis[:1]], "connectTo": "HANGUP"}}
    for kind, values in (
        ("trunk", TRUNK),
        ("hook", HOOK),
        ("device", _GATE | {"sipGateway": GATEWAY | {"trunks": ["a"]}}),
        ("device", route),
    ):
        await rig("POST", f"/{kind}", values)
    return {
        "Tokens": [(await rig.token()).json()],
        "Organisation": [(await rig("GET", "//userAccounts/me")).json()],
        "AccountSummary": (await rig("GET", "//account")).json(),
        "Account": [(await rig("GET", "")).json()],
        "Address": [(await rig("GET", "/address")).json()],
        "Ddi": ddis,
        "Trunk": (await rig("GET", "/trunk")).json(),
        "Hook": (await rig("GET", "/hook")).json(),
        "Device": (await rig("GET", "/device")).json(),
    }


async def _member_kept(schema: str, place: str, rig: Rig) -> bool:
    if schema == "Tokens":
        return place not in problems(schema, (await rig.token()).json())
    items = (await shown(rig))[schema]
    assert items
    return not any(place in problems(schema, item) for item in items)


_VIEW_FAULTS = [fault for fault in callable_members.collect.faults if not fault.id.endswith("-refused")]
for _fault in _VIEW_FAULTS:
    _schema, _, _place = _fault.clause.removeprefix("CA-").partition(".")
    breaks(_fault.id.removeprefix("callable-"))(partial(_member_kept, _schema, _place))


async def _all_requests_are_accepted(rig: Rig) -> bool:
    """Every value of every request that the page shows is taken, in a request that gives them all."""
    ddi = (await rig("GET", "/ddi")).json()[0]["id"]
    statuses = [(await rig("PUT", "/address", dict.fromkeys(callable_members.ADDRESS, "x"))).status_code]
    gate = _GATE | {"sipGateway": GATEWAY | {"trunks": ["a"]}}
    route = _ROUTE | {"startRoute": {"ddis": [ddi], "connectTo": "HANGUP"}}
    for kind, values in (("trunk", TRUNK), ("hook", HOOK), ("device", gate), ("device", route)):
        made = await rig("POST", f"/{kind}", values)
        statuses.append(made.status_code)
        if made.status_code == 201:
            item = made.json()["id"]
            statuses.append((await rig("PUT", f"/{kind}/{item}", values | {"id": item})).status_code)
    targets: list[Json] = [
        {"phoneNumber": {"number": "+441632960951"}},
        {"extension": {"extension": "601", "overrideTo": "201"}},
        {"sipUri": {"uri": "sip:a@127.0.0.1:9"}},
        {"device": {"id": "none"}},
    ]
    number = "+441632960100"
    verbs = (say("x"), dial("+441632960951", callerId=number, timeout=9, timeLimit=9), HANGUP)
    for target in targets:
        statuses.append(await rig.voice(*verbs, target=target, callerId=number, tag={"data": {"a": "b"}}))
    return set(statuses) <= {201, 204}


breaks(
    *(fault.id.removeprefix("callable-") for fault in callable_members.collect.faults if fault.id.endswith("-refused"))
)(_all_requests_are_accepted)


async def _operations(rig: Rig) -> Mapping[str, tuple[int, object]]:
    """Status and body of each operation, with what is documented for it asked."""

    async def ask(name: str, method: str, path: str, body: object = None) -> None:
        answer = await rig(method, path, body)
        seen[name] = (answer.status_code, answer.json() if answer.content else None)

    seen: dict[str, tuple[int, object]] = {}
    granted = await rig.token()
    seen["authorize"] = (granted.status_code, granted.json())
    await ask("getOrganisation", "GET", "//userAccounts/me")
    await ask("listAccounts", "GET", "//account")
    await ask("getAccount", "GET", "")
    await ask("getAddress", "GET", "/address")
    await ask("updateAddress", "PUT", "/address", {"line1": "x"})
    await ask("listDdis", "GET", "/ddi")
    gate = _GATE | {"sipGateway": GATEWAY}
    for kind, name, values in (("trunk", "Trunk", TRUNK), ("hook", "Hook", HOOK), ("device", "Device", gate)):
        await ask(f"create{name}", "POST", f"/{kind}", values)
        made = seen[f"create{name}"][1]
        item = made.get("id", "none") if isinstance(made, dict) else "none"
        await ask(f"list{name}s", "GET", f"/{kind}")
        await ask(f"get{name}", "GET", f"/{kind}/{item}")
        await ask(f"update{name}", "PUT", f"/{kind}/{item}", values)
    target = {"sipUri": {"uri": "sip:a@127.0.0.1:9"}}
    await ask("createVoiceCall", "POST", "/channels/voice", {"target": target, "verbs": []})
    return seen


def _documented(operation: str, status: int) -> bool:
    for path in _schemas()["paths"].values():
        for described in path.values():
            if isinstance(described, dict) and described.get("operationId") == operation:
                return str(status) in described["responses"]
    raise AssertionError(operation)


async def _operation_served(operation: str, rig: Rig) -> bool:
    status, body = (await _operations(rig))[operation]
    shaped = operation not in callable_operations.WITH_SHAPE or isinstance(body, dict | list)
    return _documented(operation, status) and shaped


for _fault in callable_operations.collect.faults:
    if _fault.id == "callable-content-type-text":
        continue
    _operation = _fault.clause.removeprefix("CA-").partition(".")[0]
    breaks(_fault.id.removeprefix("callable-"))(partial(_operation_served, _operation))


@breaks("content-type-text")
async def _answers_are_called_json(rig: Rig) -> bool:
    return (await rig("GET", "//account")).headers["content-type"] == "application/json"


@breaks("trunk-id-leads-nowhere")
async def _shown_id_is_its_own(rig: Rig) -> bool:
    made = (await rig("POST", "/trunk", TRUNK)).json()["id"]
    listed = [trunk["id"] for trunk in (await rig("GET", "/trunk")).json()]
    return {(await rig("GET", f"/trunk/{item}")).status_code for item in (made, *listed)} == {200}


def _part(token: str, number: int) -> Json:
    piece = token.split(".")[number]
    decoded: Json = json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))
    return decoded


@breaks("log-in-without-refresh", "token-useless")
async def _logging_in_opens_the_api(rig: Rig) -> bool:
    granted = await rig.token()
    opened = (await rig("GET", "//account")).status_code
    return granted.status_code == 200 == opened and granted.json()["refresh_token"] is not None


@breaks("any-password", "wrong-password-404")
async def _wrong_password_is_refused(rig: Rig) -> bool:
    return (await rig.token(username="ringtrue", password="wrong")).status_code in (400, 401, 403)


@breaks("no-token-needed", "no-token-403", "any-token")
async def _a_token_is_needed(rig: Rig) -> bool:
    del rig.http.headers["authorization"]
    bare = (await rig("GET", "/trunk")).status_code
    return bare == 401 == (await rig("GET", "/hook", headers={"authorization": "Bearer x"})).status_code


@breaks("token-signature-unchecked", "password-opens-api")
async def _the_token_is_judged(rig: Rig) -> bool:
    said, _, signature = rig.http.headers["authorization"].rpartition(".")
    pair = base64.b64encode(f"{rig.table['username']}:{rig.table['password']}".encode()).decode()
    for shown in (f"{said}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}", f"Basic {pair}"):
        if (await rig("GET", "/trunk", headers={"authorization": shown})).status_code != 401:
            return False
    return True


@breaks("token-opaque", "token-roles-missing", "token-roles-text", "token-life-other-unit")
async def _the_token_is_a_jwt_with_roles(rig: Rig) -> bool:
    tokens = (await rig.token()).json()
    if tokens["access_token"].count(".") != 2:
        return False
    claims = _part(tokens["access_token"], 1)
    roles = claims.get("realm_access", {}).get("roles")
    return isinstance(roles, list) and claims["exp"] - claims["iat"] == tokens["expires_in"]


@breaks("token-never-expires")
async def _the_token_ends(rig: Rig) -> bool:
    await rig.token()
    for _ in range(200):
        if (await rig("GET", "//account")).status_code == 401:
            return True
        await until(lambda: False, 0.01)
    return False


SHORT_LIVED.add(_the_token_ends)


@breaks("refresh-refused", "refresh-token-refused", "refreshed-token-useless", "refresh-shape", "refresh-token-shorter")
async def _a_refresh_gives_new_tokens(rig: Rig) -> bool:
    tokens = (await rig.token()).json()
    answer = await rig.token(token=tokens["refresh_token"])
    if answer.status_code != 200 or set(answer.json()) != set(tokens):
        return False
    opened = await rig("GET", "//account", headers={"authorization": f"Bearer {answer.json()['access_token']}"})
    return opened.status_code == 200 and tokens["refresh_expires_in"] > tokens["expires_in"]


@breaks("any-refresh-token")
async def _a_bad_refresh_token_gets_nothing(rig: Rig) -> bool:
    return (await rig.token(token="x")).status_code in (400, 401, 403)


@breaks("refusals-500")
async def _refusals_are_4xx(rig: Rig) -> bool:
    return 400 <= (await rig("POST", "/trunk", {"ip": 5})).status_code < 500


@breaks("account-name-differs")
async def _an_account_reads_as_listed(rig: Rig) -> bool:
    one = (await rig("GET", "")).json()
    return {"id": one["id"], "name": one["name"]} in (await rig("GET", "//account")).json()


@breaks("account-unknown-400", "trunk-not-unknown-404", "hook-not-unknown-404", "device-not-unknown-404")
async def _unknown_is_404(rig: Rig) -> bool:
    paths = ("//account/none", "/trunk/none", "/hook/none", "/device/none")
    return {(await rig("GET", path)).status_code for path in paths} == {404}


@breaks("address-member-missing", "address-update-lost", "address-update-line-lost", "address-update-everywhere")
async def _an_address_is_updated_alone(rig: Rig) -> bool:
    other = next(one["id"] for one in (await rig("GET", "//account")).json() if one["id"] != rig.account)
    before = (await rig("GET", f"//account/{other}/address")).json()
    values = dict.fromkeys(callable_members.ADDRESS, "new")
    await rig("PUT", "/address", values)
    return bool((await rig("GET", "/address")).json() == values) and bool(
        (await rig("GET", f"//account/{other}/address")).json() == before
    )


@breaks("update-with-body")
async def _an_update_has_no_body(rig: Rig) -> bool:
    return not (await rig("PUT", "/address", {"line1": "x"})).content


async def _things_are_kept(kind: str, values: Json, change: Json, rig: Rig) -> bool:
    first, second = await rig.create(kind, values), await rig.create(kind, values)
    listed = {one["id"]: one for one in (await rig("GET", f"/{kind}")).json()}
    read = {item: (await rig("GET", f"/{kind}/{item}")).json() for item in (first, second)}
    if listed != read or any(one != {"id": item} | values for item, one in listed.items()):
        return False
    await rig("PUT", f"/{kind}/{first}", change)
    updated = {item: (await rig("GET", f"/{kind}/{item}")).json() for item in (first, second)}
    return updated == {first: {"id": first} | values | change, second: {"id": second} | values}


_ENDINGS = ("created-listed", "values-kept", "members-shown", "read-is-listed", "update-shown", "update-only-one")
for _kind, _values, _change in (
    ("trunk", TRUNK, {"description": "Branch"}),
    ("hook", HOOK, {"authType": "OTHER", "priority": 30}),
    ("device", _GATE | {"sipGateway": GATEWAY}, {"name": "Other"}),
):
    _endings = [ending for ending in _ENDINGS if (_kind, ending) != ("device", "members-shown")]
    breaks(*(f"{_kind}-not-{ending}" for ending in _endings))(partial(_things_are_kept, _kind, _values, _change))


@breaks("gateway-member-missing", "route-start-member-missing")
async def _devices_show_their_settings(rig: Rig) -> bool:
    ddi = (await rig("GET", "/ddi")).json()[0]["id"]
    gate = _GATE | {"sipGateway": GATEWAY}
    route = _ROUTE | {"startRoute": {"ddis": [ddi], "connectTo": "HANGUP"}}
    made = [await rig.create("device", values) for values in (gate, route)]
    got = [(await rig("GET", f"/device/{item}")).json() for item in made]
    return got == [{"id": made[0]} | gate, {"id": made[1]} | route]


@breaks("connect-to-device-refused", "connect-to-hangup-refused")
async def _connect_to_takes_devices_and_hangup(rig: Rig) -> bool:
    gate = await rig.create("device", _GATE | {"sipGateway": GATEWAY})
    statuses = {
        (await rig("POST", "/device", _ROUTE | {"startRoute": {"ddis": [], "connectTo": onward}})).status_code
        for onward in (gate, "HANGUP")
    }
    return statuses == {201}


@breaks(
    "call-without-target-accepted", "call-without-verbs-accepted", "call-without-target-500", "call-without-verbs-500"
)
async def _target_and_verbs_are_required(rig: Rig) -> bool:
    bodies: list[Json] = [{"verbs": []}, {"target": {"phoneNumber": {"number": "+441632960951"}}}]
    return {(await rig("POST", "/channels/voice", body)).status_code for body in bodies} == {400}


@breaks("call-needs-options")
async def _target_and_verbs_are_enough(rig: Rig) -> bool:
    return await rig.voice(HANGUP) == 201

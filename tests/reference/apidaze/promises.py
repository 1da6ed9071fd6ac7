"""Promises that a healthy Apidaze system keeps over HTTP, each with the faults that break it; for tests only."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

from harness.reference.faults.apidaze import members as apidaze_members
from harness.reference.faults.apidaze import operations as apidaze_operations
from tests.reference.apidaze.in_process import Api

Promise = Callable[[Api], Awaitable[bool]]
PROMISES: dict[str, Promise] = {}


def breaks(*faults: str) -> Callable[[Promise], Promise]:
    def declare(promise: Promise) -> Promise:
        PROMISES.update({f"apidaze-{fault}": promise for fault in faults})
        return promise

    return declare


@breaks("unknown-id-200", "unknown-id-400", "unknown-id-500")
async def _unknown_is_404(api: Api) -> bool:
    return (await api("GET", "/sipaccounts/x")).status_code == 404


@breaks("update-lost")
async def _update_shows(api: Api) -> bool:
    account = await api.account()
    await api("PUT", f"/sipaccounts/{account['id']}", name="New")
    return bool((await api("GET", f"/sipaccounts/{account['id']}")).json()["name"] == "New")


@breaks("script-update-lost")
async def _script_update_shows(api: Api) -> bool:
    script = await api.script()
    await api("PUT", f"/externalscripts/{script['id']}", url="http://b.example/")
    return bool((await api.scripts())[0]["url"] == "http://b.example/")


@breaks("update-clears-others", "update-changes-password")
async def _update_keeps_others(api: Api) -> bool:
    account = await api.account(mwi_account="box")
    await api("PUT", f"/sipaccounts/{account['id']}", name="New")
    shown = (await api.accounts())[0]
    return bool(shown["sip"] == account["sip"] and shown["voicemail"] == account["voicemail"])


@breaks("delete-ignored")
async def _deleted_is_gone(api: Api) -> bool:
    account = await api.account()
    await api("DELETE", f"/sipaccounts/{account['id']}")
    return not await api.accounts()


@breaks("script-delete-ignored")
async def _deleted_script_is_gone(api: Api) -> bool:
    script = await api.script()
    await api("DELETE", f"/externalscripts/{script['id']}")
    return not await api.scripts()


@breaks("delete-takes-all")
async def _delete_only_one(api: Api) -> bool:
    account = await api.account()
    await api.account("bob")
    await api("DELETE", f"/sipaccounts/{account['id']}")
    return len(await api.accounts()) == 1


@breaks("create-not-listed", "list-newest-only")
async def _created_are_listed(api: Api) -> bool:
    await api.account()
    await api.account("bob")
    return len(await api.accounts()) == 2


@breaks("script-create-not-listed", "script-list-newest-only")
async def _created_scripts_are_listed(api: Api) -> bool:
    await api.script()
    await api.script()
    return len(await api.scripts()) == 2


@breaks("username-optional")
async def _username_required(api: Api) -> bool:
    return (await api("POST", "/sipaccounts", name="x")).status_code == 400


@breaks("url-optional")
async def _url_required(api: Api) -> bool:
    return (await api("POST", "/externalscripts", name="x")).status_code == 400


@breaks("options-required")
async def _options_optional(api: Api) -> bool:
    return (await api("POST", "/sipaccounts", username="x")).status_code == 201


@breaks("member-missing-updated-at", "member-missing-password", "created-at-number", "caller-numbers-swapped")
async def _account_as_sampled(api: Api) -> bool:
    shown = await api.account(internal_caller_id_number="1", external_caller_id_number="2")
    return bool(
        isinstance(shown.get("updated_at"), str)
        and isinstance(shown.get("created_at"), str)
        and "password" in shown["sip"]
        and shown["callerid"]["internal_number"] == "1"
    )


@breaks("script-member-missing-url", "script-id-number")
async def _script_as_sampled(api: Api) -> bool:
    shown = await api.script()
    return isinstance(shown.get("url"), str) and isinstance(shown["id"], str)


@breaks("password-changes-on-read")
async def _read_is_listed(api: Api) -> bool:
    account = await api.account()
    listed = (await api.accounts())[0]
    return bool((await api("GET", f"/sipaccounts/{account['id']}")).json() == listed)


@breaks("status-no-domain", "status-wrong-domain")
async def _status_tells_the_domain(api: Api) -> bool:
    account = await api.account()
    return bool(
        (await api("GET", f"/sipaccounts/{account['id']}/status")).json().get("domain") == "sip.apidaze.example"
    )


@breaks("script-test-drops-query", "script-test-not-fetched", "script-test-cached")
async def _test_fetches_each_time(api: Api) -> bool:
    api.script_server.requests.clear()
    for _ in range(2):
        await api.http.get("/externalscripts/test", params={"url": api.script_server.url + "/s?a=1"})
    return api.script_server.requests == ["/s?a=1", "/s?a=1"]


@breaks("auth-hole-status")
async def _status_needs_a_token(api: Api) -> bool:
    account = await api.account()
    del api.http.headers["authorization"]
    return (await api("GET", f"/sipaccounts/{account['id']}/status")).status_code == 401


@breaks("any-token", "no-token-400", "token-half-compared", "secret-opens-api")
async def _token_is_judged(api: Api) -> bool:
    token = api.http.headers["authorization"]
    pair = base64.b64encode(f"{api.target['client_id']}:{api.target['client_secret']}".encode()).decode()
    for shown in ("Bearer anything", f"{token[:-3]}xyz", f"Basic {pair}"):
        api.http.headers["authorization"] = shown
        if (await api("GET", "/sipaccounts")).status_code != 401:
            return False
    return True


@breaks("list-accounts-one-at-a-time")
async def _served_side_by_side(api: Api) -> bool:
    answers = await asyncio.gather(*(api("GET", "/sipaccounts") for _ in range(3)))
    return all(answer.status_code == 200 for answer in answers)


@breaks("list-scripts-no-json")
async def _media_type_may_be_named(api: Api) -> bool:
    api.http.headers["accept"] = "application/json"
    return (await api("GET", "/externalscripts")).status_code == 200


@breaks("wrong-secret-accepted")
async def _secret_is_compared(api: Api) -> bool:
    return (await api.token(secret="wrong")).status_code == 401


@breaks("no-access-token", "token-expires-number", "token-useless")
async def _token_as_sampled(api: Api) -> bool:
    answer = (await api.token()).json()
    await api.open()
    opened = await api("GET", "/sipaccounts")
    return "access_token" in answer and isinstance(answer["expires_in"], str) and opened.status_code == 200


@breaks("quota-never-enforced", "quota-exceeded-403", "quota-used-falls")
async def _quota_counts_and_ends(api: Api) -> bool:
    await api.open("limited_")
    answers = [await api("GET", "/sipaccounts") for _ in range(4)]
    return [answer.status_code for answer in answers] == [200, 200, 200, 429] and [
        answer.headers["quota-used"] for answer in answers
    ] == ["1", "2", "3", "3"]


@breaks(
    "quota-limit-text",
    "quota-unit-unknown",
    "content-type-text",
    "content-type-missing",
    "cors-origin-missing",
    "cors-methods-missing",
    "header-sunset-missing",
    "header-api-version-missing",
    "header-quota-interval-missing",
    "header-quota-limit-missing",
    "header-quota-used-missing",
    "header-quota-reset-missing",
    "header-quota-time-unit-missing",
)
async def _standard_headers(api: Api) -> bool:
    headers = (await api("GET", "/sipaccounts")).headers
    return (
        headers.get("content-type") == "application/json"
        and headers.get("quota-limit", "").isdigit()
        and headers.get("quota-time-unit") == "hour"
        and {"quota-interval", "quota-used", "quota-reset-utc"} <= set(headers)
        and {"sunset", "api-version", *(f"access-control-{name}" for name in _FIVE)} <= set(headers)
    )


@breaks("preflight-no-methods", "preflight-no-origin", "preflight-no-credentials", "preflight-no-headers")
@breaks("preflight-no-max-age")
async def _preflight_headers(api: Api) -> bool:
    headers = (await api("OPTIONS", "/sipaccounts")).headers
    return {f"access-control-{name}" for name in _FIVE} <= set(headers)


_FIVE = ("allow-origin", "allow-credentials", "allow-methods", "allow-headers", "max-age")


@breaks("302-no-location")
async def _found_has_a_location(api: Api) -> bool:
    answer = await api("GET", "/sipaccounts/")
    return answer.status_code == 302 and "location" in answer.headers


@breaks("wrong-method-200")
async def _wrong_method_is_405(api: Api) -> bool:
    return (await api("PATCH", "/sipaccounts")).status_code == 405


@breaks("shown-id-leads-nowhere")
async def _shown_id_is_its_own(api: Api) -> bool:
    account = await api.account()
    return (await api("GET", f"/sipaccounts/{account['id']}")).status_code == 200


@breaks("deleted-400", "script-deleted-400")
async def _deleted_is_404(api: Api) -> bool:
    account, script = await api.account(), await api.script()
    paths = f"/sipaccounts/{account['id']}", f"/externalscripts/{script['id']}"
    for path in paths:
        await api("DELETE", path)
    return {(await api("GET", path)).status_code for path in paths} == {404}


@breaks("script-unknown-400", "script-unknown-200")
async def _unknown_script_is_404(api: Api) -> bool:
    return (await api("GET", "/externalscripts/x")).status_code == 404


@breaks("no-username-412", "no-url-412")
async def _missing_is_400(api: Api) -> bool:
    return {(await api("POST", path, name="x")).status_code for path in ("/sipaccounts", "/externalscripts")} == {400}


@breaks("script-name-required")
async def _script_name_is_optional(api: Api) -> bool:
    return (await api("POST", "/externalscripts", url="http://a.example/")).status_code == 201


@breaks("script-read-renamed")
async def _script_read_is_listed(api: Api) -> bool:
    script = await api.script(name="mine")
    return bool((await api("GET", f"/externalscripts/{script['id']}")).json() == (await api.scripts())[0])


@breaks("hsts-short")
async def _strict_for_a_year(api: Api) -> bool:
    header = (await api("GET", "/sipaccounts")).headers["strict-transport-security"]
    return header == "max-age=31536000; includeSubDomains; preload"


@breaks("token-not-served", "token-207", "token-text")
async def _token_is_granted(api: Api) -> bool:
    answer = await api.token()
    return answer.status_code == 200 and answer.headers["content-type"] == "application/json"


_MEMBER_FAULTS = {fault.id.partition("-")[2] for fault in apidaze_members.collect.faults}
_TOKEN_FAULTS = {name for name in _MEMBER_FAULTS if name.startswith("token-")}


@breaks(*sorted(_TOKEN_FAULTS))
async def _whole_token_as_sampled(api: Api) -> bool:
    answer = (await api.token()).json()
    texts = {name: value for name, value in answer.items() if name != "api_product_list_json"}
    return bool(
        set(answer) == {*apidaze_members.TOKEN_MEMBERS, "access_token", "expires_in"}
        and all(isinstance(value, str) for value in texts.values())
        and isinstance(answer["api_product_list_json"], list)
        and answer["token_type"] == "Bearer"
        and answer["expires_in"].isdigit()
        and len(answer["issued_at"]) == 13
    )


@breaks(*sorted(_MEMBER_FAULTS - _TOKEN_FAULTS), "username-upper-case", "account-options-hidden", "script-name-hidden")
async def _members_as_sampled(api: Api) -> bool:
    account = await api.account("alice", name="A", mwi_account="box")
    script = await api.script(name="mine")
    account_types = {
        "id": str,
        "name": str,
        "sip": {"username": str, "password": str},
        "callerid": {"internal_name": str, "internal_number": str, "external_name": str, "external_number": str},
        "voicemail": {"mwi_account": str},
        "created_at": str,
        "updated_at": str,
    }
    script_types = dict.fromkeys(("id", "name", "url", "created_at", "updated_at"), str)
    if _types(account) != account_types or _types(script) != script_types:
        return False
    return bool(account["sip"]["username"] == "alice")


def _types(value: Any) -> Any:
    return {name: _types(member) for name, member in value.items()} if isinstance(value, dict) else type(value)


@breaks(*(fault.id.partition("-")[2] for fault in apidaze_operations.collect.faults))
async def _life_cycles(api: Api) -> bool:
    """Each operation once, with all values, as it ought to go."""
    form = {"internal_caller_id_number": "1", "external_caller_id_number": "2", "name": "A", "mwi_account": "box"}
    account = await api("POST", "/sipaccounts", username="alice", **form)
    script = await api("POST", "/externalscripts", url=api.script_server.url + "/s", name="mine")
    if account.status_code != 201 or script.status_code != 201:
        return False
    if not isinstance(account.json(), dict) or not isinstance(script.json(), dict):
        return False
    one, other = f"/sipaccounts/{account.json()['id']}", f"/externalscripts/{script.json()['id']}"
    answers = {
        (method, path): await api(method, path, **data)
        for method, path, data in (
            ("GET", "/sipaccounts", {}),
            ("GET", "/externalscripts", {}),
            ("GET", one, {}),
            ("GET", one + "/status", {}),
            ("GET", other, {}),
            ("GET", f"/externalscripts/test?id={script.json()['id']}", {}),
            ("PUT", one, form),
            ("PUT", other, {"url": "http://b.example/", "name": "B"}),
            ("DELETE", one, {}),
            ("DELETE", other, {}),
        )
    }
    return all(
        answer.status_code == (204 if method == "DELETE" else 200)
        and (method == "DELETE" or isinstance(answer.json(), dict | list))
        for (method, _path), answer in answers.items()
    )

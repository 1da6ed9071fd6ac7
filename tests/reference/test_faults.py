"""Each fault of the HTTP side breaks the promise that it names: the promise is kept without it and broken with it.

The system is asked in this process, so that the whole catalogue takes a second; one test starts a process with faults.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from harness.reference.apidaze import Apidaze
from harness.reference.faults import FAULTS
from harness.reference.settings import Address, Settings
from harness.reference.web import Front
from tests.reference.apidaze.client import Client, ScriptServer
from tests.reference.platform_process import Platform

SETTINGS = Settings(systems=("apidaze",), http=Address("127.0.0.1", 0), sip=Address("127.0.0.1", 0), limited_quota=3)


class Api:
    """An Apidaze system in this process, with what the promises below need."""

    def __init__(self, fault: str | None, script_server: ScriptServer) -> None:
        self.system = Apidaze(SETTINGS)
        if fault is not None:
            FAULTS[fault].apply(self.system)
        self.target = self.system.target(Address("127.0.0.1", 80))
        transport = httpx.ASGITransport(app=Front([self.system.mounts()]))
        self.http = httpx.AsyncClient(transport=transport, base_url=str(self.target["base_url"]))
        self.script_server = script_server

    async def token(self, prefix: str = "", secret: str | None = None) -> httpx.Response:
        data = {
            "grant_type": "client_credentials",
            "client_id": str(self.target[prefix + "client_id"]),
            "client_secret": secret or str(self.target[prefix + "client_secret"]),
        }
        return await self.http.post(str(self.target["token_url"]), data=data)

    async def open(self, prefix: str = "") -> None:
        token = (await self.token(prefix)).json().get("access_token", "none")
        self.http.headers["authorization"] = f"Bearer {token}"

    async def __call__(self, method: str, path: str, **data: str) -> httpx.Response:
        return await self.http.request(method, path, data=data or None)

    async def account(self, username: str = "alice", **data: str) -> Any:
        return (await self("POST", "/sipaccounts", username=username, **data)).json()

    async def script(self, url: str = "http://a.example/?x=1", **data: str) -> Any:
        return (await self("POST", "/externalscripts", url=url, **data)).json()

    async def accounts(self) -> Any:
        return (await self("GET", "/sipaccounts")).json()

    async def scripts(self) -> Any:
        return (await self("GET", "/externalscripts")).json()


Promise = Callable[[Api], Awaitable[bool]]
PROMISES: dict[str, Promise] = {}


def breaks(*faults: str) -> Callable[[Promise], Promise]:
    def declare(promise: Promise) -> Promise:
        PROMISES.update({f"apidaze-{fault}": promise for fault in faults})
        return promise

    return declare


@breaks("unknown-id-200", "unknown-id-500")
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


@breaks("any-token", "no-token-400")
async def _token_is_judged(api: Api) -> bool:
    api.http.headers["authorization"] = "Bearer anything"
    return (await api("GET", "/sipaccounts")).status_code == 401


@breaks("wrong-secret-accepted")
async def _secret_is_compared(api: Api) -> bool:
    return (await api.token(secret="wrong")).status_code == 401


@breaks("no-access-token", "token-expires-number", "token-useless")
async def _token_as_sampled(api: Api) -> bool:
    answer = (await api.token()).json()
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
        and {"sunset", "api-version", "access-control-allow-origin"} <= set(headers)
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


async def _kept(promise: Promise, fault: str | None, script_server: ScriptServer) -> bool:
    api = Api(fault, script_server)
    async with api.http:
        await api.open()
        kept = await promise(api)
    await api.system.fetcher.close()
    return kept


@pytest.mark.parametrize("fault", PROMISES)
def test_a_fault_breaks_the_promise_that_is_kept_without_it(fault: str) -> None:
    with ScriptServer() as script_server:
        assert asyncio.run(_kept(PROMISES[fault], None, script_server))
        assert not asyncio.run(_kept(PROMISES[fault], fault, script_server))


def test_faults_given_on_the_command_line_act_together_and_are_logged() -> None:
    names = ("apidaze-update-lost", "apidaze-header-sunset-missing")
    with Platform("--system", "apidaze", *(word for name in names for word in ("--fault", name))) as platform:
        with Client(platform.apidaze) as client:
            path = f"/sipaccounts/{client.account('alice')['id']}"
            answer = client("PUT", path, data={"name": "New"})
            assert "sunset" not in answer.headers
            assert client("GET", path).json()["name"] == ""
        for name in names:
            assert f"fault {name} is on" in platform.log()

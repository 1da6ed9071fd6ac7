"""The Apidaze REST API: SIP accounts and external scripts behind bearer tokens and quotas.

Mounted by the Apidaze system at the documented base path. It judges tokens, counts quotas, finds the operation and runs it;
what is kept is the store's, what an answer looks like is `answers`'. Each step is a small method, so that a fault can
replace one step and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from harness.reference.apidaze.access import Application, Tokens, Usage
from harness.reference.apidaze.answers import Answers, ApiError
from harness.reference.apidaze.fields import Fields
from harness.reference.apidaze.model import Account, Json, Script, account_json, script_json
from harness.reference.apidaze.script_test import ScriptTest
from harness.reference.apidaze.store import Store, StoreError
from harness.reference.web import BadRequestError, parse_pairs, read_fields

BASE_PATH = "/communication/apidaze/cpaas"
_log = logging.getLogger("ringtrue.apidaze")


class Phones(Protocol):
    """What the API asks of the SIP side."""

    def bindings(self, username: str) -> int:
        """How many SIP clients are registered with this account."""

    def forget(self, username: str) -> None:
        """Remove the registrations of an account that is gone."""


@dataclass(frozen=True)
class Found:
    """A path of the API: the operations on it by method, and the id in it, if any."""

    operations: Mapping[str, str]
    item_id: str = ""


_COLLECTIONS: Mapping[str, Mapping[str, str]] = {
    "sipaccounts": {"GET": "list_accounts", "POST": "create_account"},
    "externalscripts": {"GET": "list_scripts", "POST": "create_script"},
}
_ITEMS: Mapping[str, Mapping[str, str]] = {
    "sipaccounts": {"GET": "read_account", "PUT": "update_account", "DELETE": "delete_account"},
    "externalscripts": {"GET": "read_script", "PUT": "update_script", "DELETE": "delete_script"},
}
_STATUS = {"GET": "account_status"}
_TEST = {"GET": "try_script"}


def find(segments: list[str]) -> Found | None:
    """The operations at a path below the base path, given its decoded segments; None where there is nothing."""
    match segments:
        case ["externalscripts", "test"]:
            return Found(_TEST)
        case ["sipaccounts", item, "status"] if item:
            return Found(_STATUS, item)
        case [kind] if kind in _COLLECTIONS:
            return Found(_COLLECTIONS[kind])
        case [kind, item] if kind in _ITEMS and item:
            return Found(_ITEMS[kind], item)
    return None


class Api:
    """ASGI application for everything below the base path."""

    def __init__(self, store: Store, tokens: Tokens, phones: Phones, script_test: ScriptTest, domain: str) -> None:
        self.store = store
        self.tokens = tokens
        self.phones = phones
        self.script_test = script_test
        self.domain = domain
        self.answers = Answers()
        self.fields = Fields()
        self.account_view: Callable[[Account], Json] = account_json
        self.script_view: Callable[[Script], Json] = script_json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response, usage = await self.answer(request)
        headers = self.answers.standard_headers() | (self.answers.quota_headers(usage) if usage else {})
        present = MutableHeaders(raw=response.raw_headers)
        for name, value in headers.items():
            present.setdefault(name, value)
        _log.info("%s %s %d", request.method, request.url.path, response.status_code)
        await response(scope, receive, send)

    async def answer(self, request: Request) -> tuple[Response, Usage | None]:
        """The response, and how the application stands with its quota where it is known."""
        usage: Usage | None = None
        try:
            path = self.path_of(request)
            found = find(path)
            if request.method == "OPTIONS" and found:
                return self.preflight(request, found), None
            method = "GET" if request.method == "HEAD" else request.method
            operation = found.operations.get(method) if found else None
            application = self.application_of(request)
            if application:
                usage = application.quota.count()
                self.refuse_past_quota(usage)
            elif self.needs_token(operation):
                raise ApiError(401, "A valid access token is required", {"www-authenticate": 'Bearer realm="apidaze"'})
            if found is None:
                return self.nothing_here(request, path), usage
            if operation is None:
                return self.wrong_method(found), usage
            run: Callable[[Request, str], Awaitable[Response]] = getattr(self, operation)
            return await run(request, found.item_id), usage
        except ApiError as failure:
            return self.answers.failure(failure), usage
        except BadRequestError as error:
            return self.answers.failure(ApiError(400, str(error))), usage
        except Exception:  # noqa: BLE001 - whatever goes wrong is logged and answered 500
            _log.exception("%s %s failed", request.method, request.url.path)
            return self.answers.failure(ApiError(500, "Internal server error")), usage

    def path_of(self, request: Request) -> list[str]:
        """The segments below the base path, each decoded once, so that an encoded slash stays inside its segment."""
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        below = raw.decode("latin-1").partition("?")[0][len(BASE_PATH) :]
        return [unquote(segment) for segment in below.split("/")[1:]]

    def preflight(self, request: Request, found: Found) -> Response:
        asked = request.headers.get("access-control-request-headers")
        return self.answers.preflight(found.operations, request.headers.get("origin"), asked)

    def needs_token(self, operation: str | None) -> bool:  # noqa: ARG002 - a fault opens single operations here
        return True

    def application_of(self, request: Request) -> Application | None:
        """Whose bearer token the request carries (RFC 6750 section 2.1)."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return self.tokens.application_of(value.strip()) if scheme.lower() == "bearer" else None

    def refuse_past_quota(self, usage: Usage) -> None:
        if not usage.within:
            words = f"More than {usage.limit} requests in {usage.interval} {usage.unit}"
            raise ApiError(429, words, {"retry-after": str(usage.seconds_left())})

    def nothing_here(self, request: Request, path: list[str]) -> Response:
        """404; or 302 where only a slash at the end keeps the path from being one of the API's."""
        if len(path) > 1 and path[-1] == "" and find(path[:-1]):
            query = f"?{request.url.query}" if request.url.query else ""
            raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
            return self.answers.redirect(raw.decode("latin-1").partition("?")[0].rstrip("/") + query)
        raise ApiError(404, "There is no such resource")

    def wrong_method(self, found: Found) -> Response:
        allowed = ", ".join([*found.operations, "OPTIONS"])
        raise ApiError(405, f"The methods here are {allowed}", {"allow": allowed})

    async def fields_of(self, request: Request, _operation: str) -> dict[str, object]:
        """What the body of a request to this operation gives."""
        return await read_fields(request)

    def unknown_item(self, kind: str) -> Response:
        raise ApiError(404, f"There is no such {kind}")

    async def list_accounts(self, _request: Request, _item: str) -> Response:
        return self.answers.ok([self.account_view(account) for account in self.store.list_accounts()])

    async def create_account(self, request: Request, _item: str) -> Response:
        fields = await self.fields_of(request, "create_account")
        username, options = self.fields.username(fields), self.fields.account_options(fields)
        try:
            account = self.store.create_account(username, options)
        except StoreError as refused:
            raise ApiError(403, str(refused)) from refused
        return self.answers.ok(self.account_view(account), 201)

    async def read_account(self, _request: Request, item: str) -> Response:
        account = self.store.account(item)
        return self.answers.ok(self.account_view(account)) if account else self.unknown_item("SIP account")

    async def update_account(self, request: Request, item: str) -> Response:
        account = self.store.account(item)
        if account is None:
            return self.unknown_item("SIP account")
        options = self.fields.account_options(await self.fields_of(request, "update_account"))
        # The body was waited for; the account may be gone, or changed, by now.
        account = self.store.account(item)
        if account is None:
            return self.unknown_item("SIP account")
        return self.answers.ok(self.account_view(self.store.update_account(account, options)))

    async def delete_account(self, _request: Request, item: str) -> Response:
        account = self.store.account(item)
        if account is None:
            return self.unknown_item("SIP account")
        self.store.delete_account(account)
        self.phones.forget(account.username)
        return self.answers.deleted()

    async def account_status(self, _request: Request, item: str) -> Response:
        account = self.store.account(item)
        return self.answers.ok(self.status_view(account)) if account else self.unknown_item("SIP account")

    def status_view(self, account: Account) -> Json:
        """The domain that a SIP client is set up with, and whether one is registered; the documents name no members."""
        bindings = self.phones.bindings(account.username)
        return {
            "id": account.id,
            "domain": self.domain,
            "status": "registered" if bindings else "unregistered",
            "registrations": bindings,
        }

    async def list_scripts(self, _request: Request, _item: str) -> Response:
        return self.answers.ok([self.script_view(script) for script in self.store.list_scripts()])

    async def create_script(self, request: Request, _item: str) -> Response:
        fields = await self.fields_of(request, "create_script")
        url, options = self.fields.url(fields), self.fields.script_options(fields)
        try:
            script = self.store.create_script(url, options)
        except StoreError as refused:
            raise ApiError(403, str(refused)) from refused
        return self.answers.ok(self.script_view(script), 201)

    async def read_script(self, _request: Request, item: str) -> Response:
        script = self.store.script(item)
        return self.answers.ok(self.script_view(script)) if script else self.unknown_item("external script")

    async def update_script(self, request: Request, item: str) -> Response:
        if self.store.script(item) is None:
            return self.unknown_item("external script")
        fields = await self.fields_of(request, "update_script")
        url, options = self.fields.url(fields), self.fields.script_options(fields)
        script = self.store.script(item)
        if script is None:
            return self.unknown_item("external script")
        return self.answers.ok(self.script_view(self.store.update_script(script, url, options)))

    async def delete_script(self, _request: Request, item: str) -> Response:
        script = self.store.script(item)
        if script is None:
            return self.unknown_item("external script")
        self.store.delete_script(script)
        return self.answers.deleted()

    async def try_script(self, request: Request, _item: str) -> Response:
        """`url` in the query, as one recipe says; without it `id`, as the other does."""
        query = parse_pairs(request.scope["query_string"]) if request.scope["query_string"] else {}
        script_id = self.fields.script_id(query)
        if script_id is not None and "url" not in query:
            script = self.store.script(script_id)
            if script is None:
                return self.unknown_item("external script")
            return self.answers.ok(await self.script_test.run(script.url))
        return self.answers.ok(await self.script_test.run(self.fields.url(query)))

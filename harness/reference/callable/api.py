"""The Callable REST API: tokens, accounts, trunks, hooks, devices and voice calls, as JSON behind bearer tokens.

Mounted by the Callable system at the documented base path. It judges tokens, finds the operation by its name in the OpenAPI
document and runs it from `operations`; what is kept is the store's business, what is dialled that of `outbound`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from harness.reference.callable.access import REFRESH, Access
from harness.reference.callable.calling.outbound import TooManyCallsError, VoiceCalls
from harness.reference.callable.fields import ADDRESS, Fields, Json
from harness.reference.callable.store import Account, Ddi, Record, Store, StoreError
from harness.reference.callable.verbs import read_voice_call
from harness.reference.web import BadRequestError, read_body, read_fields

BASE_PATH = "/api/v1"
_log = logging.getLogger("ringtrue.callable")


class ApiError(Exception):
    """The request ends with this status; `words` go into the error body."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Asked:
    """A request with what its path names; `json` is there for operations that change something."""

    request: Request
    operation: str
    path: Mapping[str, str] = field(default_factory=dict)
    json: Json = field(default_factory=dict)


Operation = Callable[[Asked], Awaitable[Response]]

_KINDS = {"trunk": "Trunk", "hook": "Hook", "device": "Device"}
_ROUTES: dict[tuple[str, ...], dict[str, str]] = {
    ("oauth", "authorize"): {"POST": "authorize"},
    ("userAccounts", "me"): {"GET": "getOrganisation"},
    ("account",): {"GET": "listAccounts"},
    ("account", "{account}"): {"GET": "getAccount"},
    ("account", "{account}", "address"): {"GET": "getAddress", "PUT": "updateAddress"},
    ("account", "{account}", "ddi"): {"GET": "listDdis"},
    ("account", "{account}", "channels", "voice"): {"POST": "createVoiceCall"},
}
for _kind, _name in _KINDS.items():
    _ROUTES["account", "{account}", _kind] = {"GET": f"list{_name}s", "POST": f"create{_name}"}
    _ROUTES["account", "{account}", _kind, "{item}"] = {"GET": f"get{_name}", "PUT": f"update{_name}"}


def find(segments: list[str]) -> tuple[Mapping[str, str], dict[str, str]] | None:
    """The operations by method at a path below the base path, and what the path names; None where there is nothing."""
    for template, operations in _ROUTES.items():
        if len(template) == len(segments) and all(_fits(*pair) for pair in zip(template, segments, strict=True)):
            named = {part.strip("{}"): given for part, given in zip(template, segments, strict=True) if part[0] == "{"}
            return operations, named
    return None


def _fits(part: str, given: str) -> bool:
    return bool(given) if part[0] == "{" else part == given


class Api:
    """ASGI application for everything below the base path."""

    def __init__(self, store: Store, access: Access, voice_calls: VoiceCalls, organisation: Json) -> None:
        self.store = store
        self.access = access
        self.voice_calls = voice_calls
        self.organisation = organisation
        self.fields = Fields()
        self.operations: dict[str, Operation] = {
            "authorize": self.authorize,
            "getOrganisation": self.get_organisation,
            "listAccounts": self.list_accounts,
            "getAccount": self.get_account,
            "getAddress": self.get_address,
            "updateAddress": self.update_address,
            "listDdis": self.list_ddis,
            "createVoiceCall": self.create_voice_call,
        }
        for kind, name in _KINDS.items():
            self.operations[f"list{name}s"] = partial(self.list_records, kind)
            self.operations[f"create{name}"] = partial(self.create_record, kind)
            self.operations[f"get{name}"] = partial(self.get_record, kind)
            self.operations[f"update{name}"] = partial(self.update_record, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.answer(request)
        except ApiError as error:
            response = self.failure(error)
        except BadRequestError as error:
            response = self.failure(ApiError(400, str(error)))
        except Exception:  # noqa: BLE001 - whatever goes wrong is logged and answered 500
            _log.exception("%s %s failed", request.method, request.url.path)
            response = self.failure(ApiError(500, "Internal server error"))
        _log.info("%s %s %d", request.method, request.url.path, response.status_code)
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """The response. Raises ApiError or BadRequestError with another."""
        found = find(self.path_of(request))
        operations, path = found or ({}, {})
        operation = operations.get("GET" if request.method == "HEAD" else request.method, "")
        if self.needs_token(operation) and self.user_of(request) is None:
            raise ApiError(401, "A valid access token is required", {"www-authenticate": 'Bearer realm="callable"'})
        if found is None:
            raise ApiError(404, "There is no such resource")
        if not operation:
            allowed = ", ".join(operations)
            raise ApiError(405, f"The methods here are {allowed}", {"allow": allowed})
        return await self.run(Asked(request, operation, path))

    async def run(self, asked: Asked) -> Response:
        if asked.operation != "authorize" and asked.request.method in ("POST", "PUT"):
            if "account" in asked.path:
                self.account_of(asked)
            asked = replace(asked, json=await self.values_of(asked))
        return await self.operations[asked.operation](asked)

    def path_of(self, request: Request) -> list[str]:
        """The segments below the base path, each decoded once, so that an encoded slash stays inside its segment."""
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        below = raw.decode("latin-1").partition("?")[0][len(BASE_PATH) :]
        return [unquote(segment) for segment in below.split("/")[1:]]

    def needs_token(self, operation: str) -> bool:
        return operation != "authorize"

    def user_of(self, request: Request) -> str | None:
        """Whose bearer token the request carries (RFC 6750 section 2.1)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.access.user_of(token.strip()) if scheme.lower() == "bearer" else None

    async def values_of(self, asked: Asked) -> Json:
        """The JSON object of a body; a request that names no media type is taken to send JSON too."""
        request = asked.request
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("", "application/json") and not kind.endswith("+json"):
            raise ApiError(415, f"Bodies are application/json, not '{kind}'")
        try:
            parsed = json.loads(await read_body(request))
        except (ValueError, RecursionError) as error:
            raise BadRequestError("The body is not JSON") from error
        if not isinstance(parsed, dict):
            raise BadRequestError("The JSON body is not an object")
        return parsed

    def failure(self, error: ApiError) -> Response:
        return JSONResponse({"code": error.status, "message": error.words}, error.status, headers=error.headers)

    def shown(self, payload: object, status: int = 200) -> Response:
        return JSONResponse(payload, status)

    def created(self, asked: Asked, item: str) -> Response:
        """201. The page shows no body; the id helps whoever reads one."""
        return JSONResponse({"id": item}, 201, headers={"location": f"{asked.request.url.path}/{item}"})

    def changed(self, _asked: Asked) -> Response:
        return Response(status_code=204)

    def account_of(self, asked: Asked) -> Account:
        account = self.store.account(asked.path["account"])
        if account is None:
            raise ApiError(404, "There is no such account")
        return account

    def record_of(self, kind: str, asked: Asked) -> Record:
        record = self.store.record(self.account_of(asked), kind, asked.path["item"])
        if record is None:
            raise ApiError(404, f"There is no such {kind}")
        return record

    async def authorize(self, asked: Asked) -> Response:
        """Tokens for a user name and a password, or for a refresh token (CA Authentication, Refresh Token)."""
        fields = await read_fields(asked.request)
        tokens = self.tokens_for({name: value for name, value in fields.items() if isinstance(value, str)})
        return JSONResponse(tokens, headers={"cache-control": "no-store"})

    def tokens_for(self, values: Mapping[str, str]) -> Json:
        """New tokens for whom the form names. Raises ApiError 401 and BadRequestError."""
        user: str | None = None
        if "token" in values:
            user = self.access.user_of(values["token"], REFRESH)
        elif "username" in values and "password" in values:
            user = values["username"] if self.access.logs_in(values["username"], values["password"]) else None
        else:
            raise BadRequestError("Give username and password, or token")
        if user is None:
            raise ApiError(401, "Unknown user, wrong password, or no valid refresh token")
        return self.access.grant(user)

    async def get_organisation(self, _asked: Asked) -> Response:
        return self.shown(self.organisation)

    async def list_accounts(self, _asked: Asked) -> Response:
        return self.shown([self.summary_view(account) for account in self.store.accounts.values()])

    async def get_account(self, asked: Asked) -> Response:
        return self.shown(self.account_view(self.account_of(asked)))

    async def get_address(self, asked: Asked) -> Response:
        return self.shown(self.address_view(self.account_of(asked)))

    async def update_address(self, asked: Asked) -> Response:
        self.store.update_address(self.account_of(asked), self.fields.address(asked.json))
        return self.changed(asked)

    async def list_ddis(self, asked: Asked) -> Response:
        return self.shown([self.ddi_view(ddi) for ddi in self.account_of(asked).ddis])

    async def list_records(self, kind: str, asked: Asked) -> Response:
        return self.shown([self.view(kind, record) for record in self.store.list_records(self.account_of(asked), kind)])

    async def get_record(self, kind: str, asked: Asked) -> Response:
        return self.shown(self.view(kind, self.record_of(kind, asked)))

    async def create_record(self, kind: str, asked: Asked) -> Response:
        try:
            record = self.store.create(self.account_of(asked), kind, self.fields.created(kind, asked.json))
        except StoreError as refused:
            raise ApiError(403, str(refused)) from refused
        return self.created(asked, record.id)

    async def update_record(self, kind: str, asked: Asked) -> Response:
        """The id of the path counts, whatever the body says; members that are not given stay as they are."""
        record = self.record_of(kind, asked)
        self.store.update(self.account_of(asked), kind, record, self.fields.updated(kind, asked.json))
        return self.changed(asked)

    async def create_voice_call(self, asked: Asked) -> Response:
        account = self.account_of(asked)
        try:
            live = self.voice_calls.create(account, read_voice_call(asked.json))
        except TooManyCallsError as refused:
            raise ApiError(429, str(refused), {"retry-after": "1"}) from refused
        return self.created(asked, live.id)

    def summary_view(self, account: Account) -> Json:
        return {"id": account.id, "name": account.name}

    def account_view(self, account: Account) -> Json:
        return {"id": account.id, "name": account.name, "mbn": account.mbn, "domain": account.domain}

    def address_view(self, account: Account) -> Json:
        return dict.fromkeys(ADDRESS) | account.address

    def ddi_view(self, ddi: Ddi) -> Json:
        return {"id": ddi.id, "name": ddi.name}

    def view(self, kind: str, record: Record) -> Json:  # noqa: ARG002 - faults change one kind
        """A trunk, a hook or a device, with the members of the sample."""
        return {"id": record.id} | record.values

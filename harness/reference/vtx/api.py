"""The VTX OpenAPI: server version, subscriptions and presence, behind HTTP Basic and the application header.

Mounted by the VTX system at the documented base path. It judges credentials, finds the operation and runs it. Each step is
a small method, so that a fault can replace one step and nothing else.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from harness.reference.vtx.answers import Answers, ApiError
from harness.reference.vtx.directory import Directory
from harness.reference.vtx.fields import Fields
from harness.reference.vtx.model import Json, Subscription, new_subscription_json, subscription_json
from harness.reference.vtx.subscriptions import SubscriptionError, Subscriptions
from harness.reference.web import BadRequestError, basic_credentials

BASE_PATH = "/openapi"
_log = logging.getLogger("ringtrue.vtx")


@dataclass(frozen=True)
class Login:
    """Who may use the API, and with which application."""

    username: str
    password: str = field(repr=False)
    application: str


class Presence(Protocol):
    """What the API asks of the SIP side."""

    def presence(self, user_id: int) -> str:
        """How the user stands, in one word."""


@dataclass(frozen=True)
class Found:
    """A path of the API: the operations on it by method, and the id in it, if any."""

    operations: Mapping[str, str]
    item_id: str = ""


_SERVER = {"GET": "server_version"}
_COLLECTION = {"GET": "list_subscriptions", "POST": "create_subscription"}
_ITEM = {"PATCH": "extend_subscription", "DELETE": "delete_subscription"}
_PRESENCE = {"GET": "user_presence"}


def find(segments: list[str]) -> Found | None:
    """The operations at a path below the base path, given its decoded segments; None where there is nothing."""
    match segments:
        case ["v1", "system", "server"]:
            return Found(_SERVER)
        case ["v1", "subscriptions"]:
            return Found(_COLLECTION)
        case ["v1", "subscriptions", item] if item:
            return Found(_ITEM, item)
        case ["v1", "users", item, "presence"] if item:
            return Found(_PRESENCE, item)
    return None


class Api:
    """ASGI application for everything below the base path."""

    def __init__(self, login: Login, directory: Directory, subscriptions: Subscriptions, presence: Presence) -> None:
        self.login = login
        self.directory = directory
        self.subscriptions = subscriptions
        self.presence = presence
        self.answers = Answers()
        self.fields = Fields(directory)
        self.view: Callable[[Subscription], Json] = subscription_json
        self.new_view: Callable[[Subscription], Json] = new_subscription_json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self.answer(request)
        _log.info("%s %s %d", request.method, request.url.path, response.status_code)
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        try:
            found = find(self.path_of(request))
            method = "GET" if request.method == "HEAD" else request.method
            operation = found.operations.get(method) if found else None
            self.check_login(request, operation)
            self.check_application(request)
            if found is None:
                raise ApiError(404, "There is no such resource")
            if operation is None:
                return self.wrong_method(found)
            run: Callable[[Request, str], Awaitable[Response]] = getattr(self, operation)
            return await run(request, found.item_id)
        except ApiError as failure:
            return self.answers.failure(failure)
        except BadRequestError as error:
            return self.answers.failure(ApiError(400, str(error)))
        except Exception:  # noqa: BLE001 - whatever goes wrong is logged and answered 500
            _log.exception("%s %s failed", request.method, request.url.path)
            return self.answers.failure(ApiError(500, "Internal server error"))

    def path_of(self, request: Request) -> list[str]:
        """The segments below the base path, each decoded once, so that an encoded slash stays inside its segment."""
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        below = raw.decode("latin-1").partition("?")[0][len(BASE_PATH) :]
        return [unquote(segment) for segment in below.split("/")[1:]]

    def check_login(self, request: Request, operation: str | None) -> None:  # noqa: ARG002 - a fault opens single operations
        """Raises ApiError(401) unless login and password are right (RFC 7617)."""
        given = basic_credentials(request.headers.get("authorization", ""))
        expected = (self.login.username, self.login.password)
        right = [hmac.compare_digest(one.encode(), other.encode()) for one, other in zip(given, expected, strict=True)]
        if not all(right):
            raise ApiError(401, "Login and password are required", {"www-authenticate": 'Basic realm="openapi"'})

    def check_application(self, request: Request) -> None:
        """Raises ApiError: 400 without the application header, 403 for an application that nobody knows."""
        given = request.headers.get("x-c5-application", "").strip()
        if not given:
            raise ApiError(400, "The header X-C5-Application is required")
        if given.lower() != self.login.application.lower():
            raise ApiError(403, "X-C5-Application names no application that may use this API")

    def wrong_method(self, found: Found) -> Response:
        allowed = ", ".join(found.operations)
        raise ApiError(405, f"The methods here are {allowed}", {"allow": allowed})

    async def server_version(self, _request: Request, _item: str) -> Response:
        return self.answers.ok(self.server_members())

    def server_members(self) -> Json:
        """As sampled (VX, Test API Connection), where the date has an offset without a colon."""
        return {
            "buildCustomer": "Ringtrue",
            "buildVersion": "7.8.0.1",
            "buildNumber": "1",
            "buildDate": "2025-01-31T12:00:00+0100",
            "bulkLimitCommon": 100,
            "bulkLimitAddUser": 100,
            "bulkLimitAddAddressBookEntry": 1000,
        }

    async def list_subscriptions(self, _request: Request, _item: str) -> Response:
        return self.answers.ok(self.list_members())

    def list_members(self) -> Json:
        return {"subscriptions": [self.view(one) for one in self.listed()]}

    def listed(self) -> list[Subscription]:
        return self.subscriptions.all()

    async def create_subscription(self, request: Request, _item: str) -> Response:
        wanted = self.fields.wanted(await self.fields.read(request))
        try:
            made = self.subscriptions.create(wanted, self.login.username, self.login.application)
        except SubscriptionError as refused:
            raise ApiError(400, str(refused)) from refused
        return self.answers.ok(self.created_members(made), 201)

    def created_members(self, made: Subscription) -> Json:
        return {"subscription": self.new_view(made)}

    async def extend_subscription(self, request: Request, item: str) -> Response:
        self.subscription(item)
        expires = self.fields.expires(await self.fields.read(request))
        # The body was waited for; the subscription may be gone by now.
        held = self.subscription(item)
        try:
            changed = self.subscriptions.extend(held, expires)
        except SubscriptionError as refused:
            raise ApiError(400, str(refused)) from refused
        return self.answers.ok({"subscription": self.view(changed)})

    async def delete_subscription(self, _request: Request, item: str) -> Response:
        self.subscriptions.delete(self.subscription(item))
        return self.answers.deleted()

    def subscription(self, item: str) -> Subscription:
        """The subscription in force with this id. Raises ApiError(404)."""
        found = self.subscriptions.find(item)
        if found is None:
            raise ApiError(404, "There is no such subscription")
        return found

    async def user_presence(self, _request: Request, item: str) -> Response:
        user = self.directory.by_id_or_name(item)
        if user is None:
            raise ApiError(404, "There is no such user")
        return self.answers.ok({"presence": {"userId": user.id, "status": self.presence.presence(user.id)}})

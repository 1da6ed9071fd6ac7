"""What the HTTP sides of all systems share: choosing the system by path, reading bodies within limits, form and JSON fields.

Called by the server (`Front`) and by each system's HTTP side. It answers nothing itself but 404 outside every system.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_BODY = 64 * 1024
_BODY_SECONDS = 10.0
_MAX_FIELDS = 100
_log = logging.getLogger("ringtrue.platform")


class BadRequestError(Exception):
    """The request cannot be understood; the text is for whoever sent it."""


class Front:
    """The ASGI application in front: hands each request to the system whose path prefix it carries."""

    def __init__(self, mounts: Iterable[Mapping[str, ASGIApp]]) -> None:
        self._mounts = [(prefix, app) for group in mounts for prefix, app in group.items()]
        self._mounts.sort(key=lambda mount: -len(mount[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        for prefix, app in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                await app(scope, receive, send)
                return
        _log.info("%s %s 404 (below no system)", scope["method"], path)
        answer = JSONResponse({"code": 404, "message": f"Nothing is served at {path}"}, 404)
        await answer(scope, receive, send)


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The body, at most `limit` bytes within 10 seconds. Raises BadRequestError."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise BadRequestError(f"The body is larger than {limit} bytes")
    except TimeoutError:
        raise BadRequestError(f"The body did not arrive within {_BODY_SECONDS:.0f} seconds") from None
    except ClientDisconnect:
        raise BadRequestError("The connection closed before the whole body arrived") from None
    return bytes(body)


async def read_fields(request: Request) -> dict[str, object]:
    """The members of a form-encoded or JSON body; an empty body has none. Raises BadRequestError."""
    body = await read_body(request)
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return parse_pairs(body)
    if kind == "application/json" or kind.endswith("+json"):
        return _json_fields(body)
    raise BadRequestError(f"Bodies are application/x-www-form-urlencoded or application/json, not '{kind}'")


def parse_pairs(encoded: bytes) -> dict[str, object]:
    """Names and values of a query string or form, percent-decoded once; a name given twice has the list of its values.

    Raises BadRequestError.
    """
    try:
        pairs = parse_qsl(
            encoded.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise BadRequestError(f"Not form-encoded UTF-8: {error}") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _json_fields(body: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The body is not JSON") from error
    if not isinstance(parsed, dict):
        raise BadRequestError("The JSON body is not an object")
    return parsed


def basic_credentials(header: str) -> tuple[str, str]:
    """Login and password of an Authorization header; empty where it carries none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        login, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return login, password

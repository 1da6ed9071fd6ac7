"""The HTTP side: finds the operation of a path, judges credentials and body, runs it, and answers as documented.

Mounted by the system. What an operation does is `operations`' and `prompts`' business; every answer bears
Access-Control-Allow-Origin, and a pre-flight request is answered for every path but the list of prompt files.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from harness.reference.mediaservice.http import members
from harness.reference.mediaservice.http.access import Access
from harness.reference.mediaservice.http.operations import JWT_TWINS, TABLES, Operations
from harness.reference.mediaservice.http.prompts import PromptFiles
from harness.reference.mediaservice.storage import MAX_FILE
from harness.reference.web import MAX_BODY, BadRequestError, read_body

BASE_PATH = "/mediaservice"
SITE_PATH = "/mediaservice-site-a"
# Below it pre-signed URLs fetch files; no tenant's domain has an underscore.
FILES = "_files"
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")
_log = logging.getLogger("ringtrue.mediaservice")


@dataclass(frozen=True)
class Found:
    """An operation by method, the file it is about, and whether it has a pre-flight."""

    operations: Mapping[str, str]
    filename: str = ""
    preflight: bool = True
    allowed: str = field(default="POST,OPTIONS")


def find(segments: list[str]) -> Found | None:
    """The operations at a path behind the domain."""
    match segments:
        case ["promptfile"]:
            return Found({"GET": "list"}, preflight=False)
        case ["promptfile", name] if name:
            return Found({"PUT": "put", "DELETE": "delete"}, name, allowed="PUT,DELETE,OPTIONS")
        case ["promptfile", name, "move"] if name:
            return Found({"POST": "move"}, name)
        case ["promptfile", name, "url"] if name:
            return Found({"GET": "url"}, name, allowed="GET,OPTIONS")
        case [name] if name in TABLES or (name.endswith("jwt") and name.removesuffix("jwt") in JWT_TWINS):
            return Found({"POST": name})
    return None


class Api:
    """ASGI application for everything below the base path."""

    def __init__(self, domain: str, access: Access, operations: Operations, prompts: PromptFiles) -> None:
        self.domain = domain
        self.access = access
        self.operations = operations
        self.prompts = prompts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.answer(request)
        except BadRequestError as error:
            response = self.done(400, {"success": False, "reason": str(error)})
        except Exception:  # noqa: BLE001 - whatever goes wrong is logged and answered 500
            _log.exception("%s %s failed", request.method, request.url.path)
            response = self.done(500, {"success": False, "reason": "Internal server error"})
        _log.info("%s %s %d", request.method, request.url.path, response.status_code)
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        domain, *rest = path_of(request)
        if domain == FILES and len(rest) == 1:
            return self.fetched(request, rest[0])
        found = find(rest)
        if found is None or not _DOMAIN.fullmatch(domain):
            return self.done(404, {"success": False, "reason": "There is no such operation"})
        if request.method == "OPTIONS" and found.preflight:
            return self.preflight(found)
        name = found.operations.get(request.method)
        if name is None:
            allow = {"allow": ", ".join([*found.operations, *(["OPTIONS"] if found.preflight else [])])}
            return self.done(405, {"success": False, "reason": "The operation has another method"}, allow)
        body = await read_body(request, MAX_FILE if name == "put" else MAX_BODY)
        if not self.admitted(request, name, body):
            return self.done(401, {"success": False, "reason": "Valid credentials are required"}, self.challenge(name))
        if domain != self.domain:
            return self.done(404, {"success": False, "reason": "There is no such domain"})
        if name in ("list", "put", "delete", "move", "url"):
            result = await self.on_file(request, name, found.filename, body)
            return self.done(*result)
        return self.run(name, body)

    def run(self, name: str, body: bytes) -> Response:
        """An operation on calls."""
        plain = name if name in TABLES else name.removesuffix("jwt")
        asked = json_object(body)
        problem = members.problem(asked, TABLES[plain])
        if problem:
            return self.done(400, {"success": False, "reason": problem})
        refused = self.operations.run(plain, asked)
        return self.done(200, {"success": False, "reason": refused} if refused else {"success": True})

    async def on_file(self, request: Request, name: str, filename: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """An operation on prompt files: its status and members."""
        match name:
            case "list":
                result = self.prompts.list(request.query_params.get("next"))
            case "put":
                result = self.prompts.put(filename, body)
            case "delete":
                result = self.prompts.delete(filename)
            case "url":
                base = f"{request.url.scheme}://{request.url.netloc}{BASE_PATH}/{FILES}"
                result = self.prompts.url(filename, base)
            case _:
                result = await self.prompts.move(filename, json_object(body))
        return result.status, result.members

    def fetched(self, request: Request, filename: str) -> Response:
        """A file by its pre-signed URL."""
        query = request.query_params
        storage = self.prompts.storage
        if request.method not in ("GET", "HEAD"):
            return self.done(405, {"success": False, "reason": "Fetch it with GET"}, {"allow": "GET"})
        if not storage.opens(filename, query.get("Ringtrue-Until", ""), query.get("X-Amz-Signature", "")):
            return self.done(403, {"success": False, "reason": "The URL is not valid, or no longer"})
        if filename not in storage.files:
            return self.done(404, {"success": False, "reason": "The file is gone"})
        return Response(storage.files[filename], 200, self.headers(), "application/octet-stream")

    def admitted(self, request: Request, name: str, body: bytes) -> bool:
        headers = dict(request.headers.items())
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.decode("latin-1").partition("?")[0]
        return self.access.admits(request.method, path, request.url.query, headers, body, name.endswith("jwt"))

    def challenge(self, name: str) -> dict[str, str]:
        scheme = "Bearer" if name.endswith("jwt") or self.access.scheme == "bearer" else "Basic"
        return {} if self.access.scheme == "sigv4" else {"www-authenticate": f'{scheme} realm="mediaservice"'}

    def preflight(self, found: Found) -> Response:
        """What a browser may send."""
        allowed = {
            "access-control-allow-methods": found.allowed,
            "access-control-allow-headers": "Content-Type,Authorization,X-Amz-Date,X-Api-Key,X-Amz-Security-Token",
        }
        return self.done(200, {}, allowed)

    def headers(self) -> dict[str, str]:
        """What every answer bears."""
        return {"access-control-allow-origin": "*"}

    def done(self, status: int, shown: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
        """An answer."""
        return JSONResponse(shown, status, headers=self.headers() | dict(headers or {}))


def path_of(request: Request) -> list[str]:
    """The segments below the base path, each decoded once, so that an encoded slash stays inside its segment."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    _, _, *below = raw.decode("latin-1").partition("?")[0].split("/")
    return [unquote(segment) for segment in below] or [""]


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadRequestError."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The body is not JSON") from error
    if not isinstance(parsed, dict):
        raise BadRequestError("The JSON body is not an object")
    return parsed

"""The token endpoint: OAuth 2.0 client credentials (RFC 6749 section 4.4) answered as the API store's sample shows.

Mounted by the Apidaze system beside its API. It answers nothing but POST.
"""

from __future__ import annotations

import base64
import binascii
import logging
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from harness.reference.apidaze.access import Token, Tokens
from harness.reference.apidaze.model import Json
from harness.reference.web import BadRequestError, parse_pairs, read_fields

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_log = logging.getLogger("ringtrue.apidaze")


class TokenEndpoint:
    """ASGI application for the token URL."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except BadRequestError as error:
            response = _refused(400, "invalid_request", str(error))
        _log.info("%s %s %d", request.method, request.url.path, response.status_code)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return _refused(405, "invalid_request", "Ask for a token with POST", {"allow": "POST"})
        fields = await read_fields(request)
        query = parse_pairs(request.url.query.encode()) if request.url.query else {}
        grant = fields.get("grant_type", query.get("grant_type"))
        if grant is None:
            return _refused(400, "invalid_request", "grant_type is missing")
        if grant != "client_credentials":
            return _refused(400, "unsupported_grant_type", "grant_type must be client_credentials")
        client_id, client_secret = _credentials(request, fields)
        application = self._tokens.application_with(client_id, client_secret)
        if application is None:
            return _refused(
                401, "invalid_client", "Unknown client credentials", {"www-authenticate": 'Basic realm="apidaze"'}
            )
        return self.granted(self._tokens.issue(application))

    def granted(self, token: Token) -> Response:
        return JSONResponse(self.members(token), headers=_NO_STORE)

    def members(self, token: Token) -> Json:
        """The members of the sampled answer; numbers are strings there (API store, Get Access Token)."""
        return {
            "refresh_token_expires_in": "0",
            "api_product_list": "[apidaze-voice]",
            "api_product_list_json": ["apidaze-voice"],
            "organization_name": "ringtrue",
            "developer_email": "developer@ringtrue.example",
            "token_type": "Bearer",
            "issued_at": str(int(token.issued_at * 1000)),
            "client_id": token.application.client_id,
            "access_token": token.value,
            "application_name": token.application.name,
            "scope": "",
            "expires_in": str(token.life),
            "refresh_count": "0",
            "status": "approved",
        }


def _credentials(request: Request, fields: dict[str, object]) -> tuple[str, str]:
    """From `Authorization: Basic` where there is one (RFC 6749 section 2.3.1), else from the body."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, client_secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise BadRequestError("The Basic credentials are not base64 of UTF-8") from None
        return unquote_plus(client_id), unquote_plus(client_secret)
    return _text(fields.get("client_id")), _text(fields.get("client_secret"))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return text if text.isascii() else ""


def _refused(status: int, code: str, words: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": code, "error_description": words}, status, headers=_NO_STORE | (headers or {}))

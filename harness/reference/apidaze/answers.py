"""How the Apidaze API answers: its standard headers, error bodies, pre-flight and redirects.

Called by `api` for every response. Pure: each method makes headers or a response from values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.responses import JSONResponse, Response

from harness.reference.apidaze.access import Usage
from harness.reference.apidaze.model import timestamp

_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains; preload"
_PREFLIGHT_SECONDS = "3600"
_METHODS = "GET, POST, PUT, DELETE"
_HEADERS = "authorization, content-type, accept"


class ApiError(Exception):
    """The request ends with this status; `words` go into the error body."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = dict(headers or {})


class Answers:
    """Makes responses. The header table is in the developer portal, HTTP response headers."""

    def ok(self, payload: object, status: int = 200) -> Response:
        return JSONResponse(payload, status)

    def deleted(self) -> Response:
        """204; it keeps the content type, which the documents list for each answer."""
        return Response(status_code=204, media_type="application/json")

    def failure(self, failure: ApiError) -> Response:
        body = {"code": failure.status, "message": failure.words}
        return JSONResponse(body, failure.status, headers=failure.headers)

    def redirect(self, location: str) -> Response:
        return JSONResponse({"code": 302, "message": "Found"}, 302, headers={"location": location})

    def preflight(self, methods: Iterable[str], origin: str | None, asked_headers: str | None) -> Response:
        """The five access-control headers, as an answer to OPTIONS."""
        return JSONResponse({}, 200, headers=self.preflight_headers(", ".join(methods), origin, asked_headers))

    def preflight_headers(self, methods: str, origin: str | None, asked_headers: str | None) -> dict[str, str]:
        return {
            "allow": f"{methods}, OPTIONS",
            "access-control-allow-origin": origin or "*",
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": methods,
            "access-control-allow-headers": asked_headers or _HEADERS,
            "access-control-max-age": _PREFLIGHT_SECONDS,
            "vary": "Origin",
        }

    def standard_headers(self) -> dict[str, str]:
        """What every answer of the API carries; the cross-origin headers too, since the table has them for each answer."""
        return {
            "sunset": "n/a",
            "api-version": "1.0",
            "strict-transport-security": _STRICT_TRANSPORT,
            "access-control-allow-origin": "*",
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _HEADERS,
            "access-control-max-age": _PREFLIGHT_SECONDS,
        }

    def quota_headers(self, usage: Usage) -> dict[str, str]:
        """What every answer to a known application carries."""
        return {
            "quota-interval": str(usage.interval),
            "quota-limit": str(usage.limit),
            "quota-used": str(usage.used),
            "quota-reset-UTC": timestamp(usage.reset),
            "quota-time-unit": usage.unit,
        }

"""How the VTX API answers: JSON, and errors with a code and words.

Called by `api` for every response. Pure: each method makes a response from values.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response


class ApiError(Exception):
    """The request ends with this status; `words` go into the error body."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = dict(headers or {})


class Answers:
    """Makes responses."""

    def ok(self, payload: object, status: int = 200) -> Response:
        return JSONResponse(payload, status)

    def deleted(self) -> Response:
        return Response(status_code=204)

    def failure(self, failure: ApiError) -> Response:
        body = {"errorCode": failure.status, "errorMessage": failure.words}
        return JSONResponse(body, failure.status, headers=failure.headers)

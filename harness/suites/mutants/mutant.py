"""A mutant: one thing that is wrong in the answers of one operation, or in one kind of callback, and how it is made.

Made by `catalogue`; whoever stands in the way has it change messages. Everything else of a message stays as it came.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.checks.callbacks import payload
from harness.checks.schema import fits
from harness.spec import Schema
from harness.suites.mutants.rules import GONE, Path, changed
from harness.timeline import Headers, HttpRequest, HttpResponse, declared_type, find_header

NOT_JSON = b"ringtrue mutant"
_PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@dataclass(frozen=True, eq=False)
class Mutant:
    """One wrong thing. It breaks `clause`, by `rule`; `operation` is that whose answers it changes, or a webhook.

    `statuses`: of the answers, as the document names them; none: it is about callbacks. `media`: the content type that
    it is about. `header`: it changes (`value`) or takes away (GONE) that header; else it changes `path` of the JSON body.
    """

    id: str
    system: str
    clause: str
    words: str
    rule: str
    operation: str
    statuses: frozenset[str] = frozenset()
    media: str = ""
    path: Path = ()
    value: Any = GONE
    header: str = ""
    schema: Schema | None = None

    @property
    def surface(self) -> str:
        return "http" if self.statuses else "callback"

    def in_answer(self, response: HttpResponse) -> HttpResponse:
        """The answer with the wrong thing; the same object where there is nothing to change."""
        if self.rule == "status":
            return HttpResponse(self.value, response.headers, response.body, "", response.truncated)
        made = self._made(response.headers, HttpRequest("", "", (), response.body), packed=False)
        if made is None:
            return response
        return HttpResponse(response.status, made[0], made[1], response.reason, response.truncated)

    def in_callback(self, request: HttpRequest) -> tuple[Headers, bytes] | None:
        """Headers and body with the wrong thing; None where there is nothing to change."""
        return self._made(request.headers, request, packed=True)

    def _made(self, headers: Headers, request: HttpRequest, *, packed: bool) -> tuple[Headers, bytes] | None:
        if self.header:
            if find_header(headers, self.header) is None:
                return None
            return tuple(self._headers(headers)), request.body
        declared = declared_type(headers)
        if self.media != declared and not (self.media == "application/json" and declared.endswith("+json")):
            return None
        if self.rule == "not-json":
            return _with_body(headers, request.body, NOT_JSON, packed=packed)
        value = payload(request)
        if value is None:
            return None
        new = changed(value[0], self.path, self.value)
        if new is GONE or (self.schema is not None and fits(self.schema, new)):
            return None
        body = json.dumps(new, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return _with_body(headers, request.body, body, packed=packed)

    def _headers(self, headers: Headers) -> Headers:
        wrong = self.header.lower()
        kept = [(name, value) for name, value in headers if name.lower() != wrong or self.value is not GONE]
        return tuple((name, self.value if name.lower() == wrong else value) for name, value in kept)


def _with_body(headers: Headers, old: bytes, new: bytes, *, packed: bool) -> tuple[Headers, bytes]:
    """The new body in the coding of the old one (`packed`: the old one is as it came), and a length that is right again."""
    coding = (find_header(headers, "content-encoding") or "").strip().lower()
    body = _PACK[coding](new) if packed and coding in _PACK else new
    right = find_header(headers, "content-length") == str(len(old))
    return tuple(
        (name, str(len(body)) if right and name.lower() == "content-length" else value) for name, value in headers
    ), body

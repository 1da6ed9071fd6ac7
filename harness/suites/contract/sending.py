"""Sends what schemathesis generates by the wire of the HTTP driver, so that no answer outgrows its bounds of time and size.

The client that schemathesis brings waits as long as bytes drip in, and keeps a body whole, however large it is. After a few
requests in a row without an answer nothing more is sent: the rest would only take its time to say the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import httpx
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as RawResponse

from harness.drivers.wire import NOT_SENT, Wire
from harness.timeline import HttpResponse

# So many requests in a row may stay without an answer.
_PATIENCE = 3
# What the wire has undone already, or what no longer fits the part of the body that it keeps.
_UNDONE = ("content-encoding", "content-length", "transfer-encoding")


class BoundedAdapter(BaseAdapter):
    """The way out for the sessions of schemathesis while `installed`; one request at a time.

    `answer`, `failure`: what came of the latest request; both None where it was not sent.
    """

    def __init__(self, wire: Wire, shown: Callable[[requests.PreparedRequest, bytes], bytes]) -> None:
        """`shown` gives the body of an answer that schemathesis is to see."""
        super().__init__()
        self._wire = wire
        self._shown = shown
        self._silent = 0
        self.answer: HttpResponse | None = None
        self.failure: str | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Every session that schemathesis opens meanwhile sends by this."""
        from schemathesis.engine import context

        make = context.make_session

        def made(*arguments: Any, **options: Any) -> requests.Session:
            session = make(*arguments, **options)
            # Proxies and certificates out of the environment are looked for with every request, and are not for the wire.
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, self)
            return session

        with mock.patch.object(context, "make_session", made):
            yield

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The answer to a request.

        Raises:
            requests.RequestException: there is none; it names the request where that was sent.
        """
        self.answer = self.failure = None
        if self._silent >= _PATIENCE:
            raise requests.ConnectionError(f"not sent: {_PATIENCE} requests before it got no answer")
        try:
            sent = _as_sent(request)
        except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as error:
            raise requests.exceptions.InvalidURL(f"{NOT_SENT}: {error}") from error
        answer, failure = self._wire.send(sent)
        if failure is not None and NOT_SENT in failure:
            raise requests.exceptions.InvalidHeader(failure)
        self.answer, self.failure = answer, failure
        self._silent = 0 if answer is not None else self._silent + 1
        if answer is None:
            raise requests.ConnectionError(failure, request=request)
        return _as_received(request, replace(answer, body=self._shown(request, answer.body)))

    def close(self) -> None:
        """Nothing: the wire is closed by whoever opened it."""


def _as_sent(request: requests.PreparedRequest) -> httpx.Request:
    """The same request, with its target as it stands: signatures cover it to the byte."""
    headers = [(_bytes(name), _bytes(value)) for name, value in request.headers.items()]
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | bytearray) else None
    if content is None:
        raise TypeError(f"a body of the type {type(body).__name__}")
    target = request.path_url.encode("ascii")
    return httpx.Request(
        request.method or "", request.url or "", headers=headers, content=content or None, extensions={"target": target}
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def _as_received(request: requests.PreparedRequest, answer: HttpResponse) -> requests.Response:
    headers = HTTPHeaderDict()
    for name, value in answer.headers:
        if name.lower() not in _UNDONE:
            headers.add(name, value)
    made = requests.Response()
    made.raw = RawResponse(
        io.BytesIO(answer.body),
        headers=headers,
        status=answer.status,
        version=11,
        reason=answer.reason,
        preload_content=False,
    )
    made.status_code, made.reason, made.request, made.url = answer.status, answer.reason, request, request.url or ""
    made.headers.update(headers)
    made.encoding = requests.utils.get_encoding_from_headers(made.headers)
    return made

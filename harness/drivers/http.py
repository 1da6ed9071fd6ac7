"""The HTTP client: gives API stimuli and writes every exchange to the timeline.

It follows no redirect, keeps no cookie and a bounded part of each body, and turns whatever a target does (refuse, hang,
drip, send garbage) into an exchange with a `failure`, never into an exception. It judges nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from harness.drivers.auth import Auth, Credentials
from harness.drivers.wire import KEPT_BODY, NOT_SENT, Wire, as_text
from harness.target import Rate, SystemTarget, Timing
from harness.timeline import HttpExchange, HttpRequest, HttpResponse, Timeline

__all__ = ["KEPT_BODY", "Auth", "Body", "HttpDriver", "RateLimiter", "fill_path"]

# Gzip alone, because it can be unpacked within bounds.
_ALWAYS_SENT = {"User-Agent": "ringtrue", "Accept": "*/*", "Accept-Encoding": "gzip"}
_TRIES = 3
_LONGEST_RETRY_AFTER = 5.0


class RateLimiter:
    """Spaces requests so that no more than `max_per_second` leave this process."""

    def __init__(self, rate: Rate, share: int = 1) -> None:
        self._gap = share / rate.max_per_second if rate.max_per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Block until the next request may leave."""
        if not self._gap:
            return
        with self._lock:
            start = max(self._next, time.monotonic())
            self._next = start + self._gap
        time.sleep(max(0.0, start - time.monotonic()))


@dataclass(frozen=True, slots=True)
class Body:
    """A request body with its content type."""

    content: bytes
    content_type: str

    @classmethod
    def json(cls, value: Any) -> Body:
        return cls(json.dumps(value, ensure_ascii=False).encode(), "application/json")

    @classmethod
    def form(cls, values: Mapping[str, str]) -> Body:
        content = str(httpx.QueryParams(values)).encode()
        return cls(content, "application/x-www-form-urlencoded")


class HttpDriver:
    """Sends requests to one system on behalf of one scenario.

    Args:
        target: where the system is and how it is reached.
        credentials: puts access tokens and the like on requests.
        timeline: gets one `HttpExchange` per request.
        look: sees method, URL and body of each request before it leaves, and may raise to keep it back.
        alter: gives the exchange as it is to be seen, where something stands between the target and us.
        retry: whether to wait and try again, twice at most, when a 429 names a bearable `Retry-After`.
    """

    def __init__(
        self,
        system: str,
        target: SystemTarget,
        credentials: Credentials,
        timeline: Timeline,
        *,
        timing: Timing | None = None,
        limiter: RateLimiter | None = None,
        look: Callable[[str, str, bytes], None] | None = None,
        alter: Callable[[HttpExchange], HttpExchange] | None = None,
        retry: bool = True,
    ) -> None:
        self.system = system
        self.target = target
        self.credentials = credentials
        self.timeline = timeline
        self._timing = timing or Timing()
        self._limiter = limiter or RateLimiter(Rate())
        self._look = look
        self._alter = alter or (lambda exchange: exchange)
        self._retry = retry
        self._wire = Wire(self._timing, verify_tls=target.verify_tls)

    def __enter__(self) -> HttpDriver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Auth = "valid",
        about: Mapping[str, str] | None = None,
    ) -> HttpExchange:
        """Send one request and return the exchange as it stands in the timeline.

        `path` is below the base URL, or a whole URL. `auth`: which credentials the request shows.
        Where no credentials are to be had, the exchange is that of the token request, with a `failure` and no response.

        An answer after which the request is sent again stands in the timeline too, but without `expect`, and a 401 to a
        token that may have run out as `auth: expired`: they show nothing about the promise that the request is to try.
        """
        url = path if path.startswith(("http://", "https://")) else self.target.base_url + path
        if self._look is not None and body is not None:
            self._look(method, url, body.content)
        sent = {**self.credentials.always, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = (headers or {}).get("Content-Type", body.content_type)
        known = {"auth": auth, **(about or {})}
        tried = {name: value for name, value in known.items() if name != "expect"}
        refreshed = False
        for attempt in range(1, _TRIES + 1):
            if auth != "none":
                problem = self.credentials.apply(sent, self, auth)
                if problem is not None:
                    return _without_credentials(problem)
            exchange = self._send(method, url, params, body, sent, known, auth)
            response = exchange.response
            if response is None or attempt == _TRIES:
                break
            if response.status == 401 and auth == "valid" and not refreshed and self.credentials.refreshable:
                # The token may have run out during a long run; a fresh one that is refused too is the target's answer.
                self.credentials.forget()
                refreshed = True
                self.timeline.add(replace(exchange, about={**tried, "auth": "expired"}))
                continue
            wait = _retry_after(response)
            if response.status != 429 or not self._retry or wait is None:
                break
            self.timeline.add(replace(exchange, about=tried))
            self.timeline.note("retry-after", f"the target asked for a pause of {wait:.1f} s")
            time.sleep(wait)
        return self.timeline.add(exchange)

    def send_unauthenticated(
        self, method: str, url: str, *, body: Body, headers: Mapping[str, str], about: Mapping[str, str]
    ) -> HttpExchange:
        """Send one request as it is: for token endpoints, whose credentials are part of the request."""
        sent = {"Content-Type": body.content_type, **headers}
        return self.timeline.add(self._send(method, url, None, body, sent, about))

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        body: Body | None,
        headers: Mapping[str, str],
        about: Mapping[str, str],
        auth: Auth = "none",
    ) -> HttpExchange:
        """One request and its answer, not yet in the timeline."""
        self._limiter.wait()
        started = self.timeline.clock.now()
        content = body.content if body else b""
        response: HttpResponse | None = None
        failure: str | None = None
        shown = httpx.Headers(_ALWAYS_SENT)
        try:
            shown.update(headers)
            place = httpx.URL(url)
            request = httpx.Request(
                method,
                place.copy_merge_params(params) if params else place,
                content=content or None,
                headers=shown,
            )
        except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as error:
            seen = HttpRequest(method, url, tuple(headers.items()), content)
            failure = f"protocol: {NOT_SENT}: {error}"
        else:
            if auth != "none":
                failure = self.credentials.sign(method, str(request.url), request.headers, content, auth)
            seen = HttpRequest(request.method, str(request.url), as_text(request.headers.raw), content)
            if failure is None:
                response, failure = self._wire.send(request)
        exchange = HttpExchange(
            started,
            system=self.system,
            request=seen,
            response=response,
            ended=self.timeline.clock.now(),
            failure=failure,
            about=dict(about),
        )
        return self._alter(exchange)


def _without_credentials(problem: HttpExchange) -> HttpExchange:
    """A token request that gave no token, so that its answer is never taken for that of the request it was for."""
    if problem.response is None:
        return problem
    words = f"credentials: {problem.request.url} gave no access token, answer {problem.response.status}"
    return replace(problem, response=None, failure=words)


def fill_path(path: str, **values: str) -> str:
    """A path template with its parameters filled in, percent-encoded."""
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path


def _retry_after(response: HttpResponse) -> float | None:
    """Seconds to wait (RFC 9110 section 10.2.3, both forms); None where that is not said, or too long to wait for."""
    value = (response.header("retry-after") or "").strip()
    try:
        seconds = float(value) if value[:1].isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    seconds = max(seconds, 0.0)
    return seconds if seconds <= _LONGEST_RETRY_AFTER else None

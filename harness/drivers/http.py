"""The HTTP client: gives API stimuli and writes every exchange to the timeline.

It follows no redirect, keeps a bounded part of each body, and turns whatever a target does (refuse, hang, drip, send
garbage) into an exchange with a `failure`, never into an exception. It judges nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import httpx

from harness.drivers.auth import Credentials
from harness.target import Rate, SystemTarget, Timing
from harness.timeline import Headers, HttpExchange, HttpRequest, HttpResponse, Timeline

KEPT_BODY = 1 << 20
USER_AGENT = "ringtrue"
Auth = Literal["valid", "none", "wrong"]
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
        retry: bool = True,
    ) -> None:
        self.system = system
        self.target = target
        self.credentials = credentials
        self.timeline = timeline
        self._timing = timing or Timing()
        self._limiter = limiter or RateLimiter(Rate())
        self._retry = retry
        self._client = httpx.Client(
            follow_redirects=False,
            verify=target.verify_tls,
            trust_env=False,
            timeout=httpx.Timeout(self._timing.answer, connect=self._timing.connect),
        )

    def __enter__(self) -> HttpDriver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

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

        `path` is below the base URL, or a whole URL. `auth`: with valid credentials, none, or wrong ones of the same kind.
        """
        url = path if path.startswith(("http://", "https://")) else self.target.base_url + path
        sent = dict(headers or {})
        if body is not None:
            sent.setdefault("Content-Type", body.content_type)
        known = {"auth": auth, **(about or {})}
        refreshed = False
        for attempt in range(3):
            if auth != "none":
                problem = self.credentials.apply(sent, self, wrong=auth == "wrong")
                if problem is not None:
                    return problem
            exchange = self._send(method, url, params, body, sent, known)
            if exchange.response is None:
                break
            if exchange.response.status == 401 and auth == "valid" and not refreshed and self.credentials.refreshable:
                # The token may have run out during a long run; a fresh one that is refused too is the target's answer.
                self.credentials.forget()
                refreshed = True
                continue
            wait = _retry_after(exchange.response)
            if exchange.response.status != 429 or not self._retry or wait is None or attempt == 2:
                break
            self.timeline.note("retry-after", f"the target asked for a pause of {wait:g} s")
            time.sleep(wait)
        return exchange

    def send_unauthenticated(
        self, method: str, url: str, *, body: Body, headers: Mapping[str, str], about: Mapping[str, str]
    ) -> HttpExchange:
        """Send one request as it is: for token endpoints, whose credentials are part of the request."""
        return self._send(method, url, None, body, {"Content-Type": body.content_type, **headers}, about)

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        body: Body | None,
        headers: Mapping[str, str],
        about: Mapping[str, str],
    ) -> HttpExchange:
        self._limiter.wait()
        started = self.timeline.clock.now()
        request = self._client.build_request(
            method,
            url,
            params=params,
            content=body.content if body else None,
            headers={"User-Agent": USER_AGENT, **headers},
        )
        seen = HttpRequest(method, str(request.url), _headers(request.headers), body.content if body else b"")
        response, failure = self._exchange(request)
        return self.timeline.add(
            HttpExchange(
                started,
                system=self.system,
                request=seen,
                response=response,
                ended=self.timeline.clock.now(),
                failure=failure,
                about=dict(about),
            )
        )

    def _exchange(self, request: httpx.Request) -> tuple[HttpResponse | None, str | None]:
        deadline = time.monotonic() + self._timing.answer + self._timing.connect
        try:
            response = self._client.send(request, stream=True)
            try:
                kept, truncated = b"", False
                for chunk in response.iter_bytes():
                    kept += chunk[: KEPT_BODY - len(kept)]
                    if len(kept) >= KEPT_BODY:
                        truncated = True
                        break
                    if time.monotonic() > deadline:
                        return None, f"timeout: the answer was not complete after {self._timing.answer:g} s"
            finally:
                response.close()
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return None, f"protocol: {error}"
        except httpx.TimeoutException as error:
            phase = "connecting" if isinstance(error, httpx.ConnectTimeout) else "waiting for the answer"
            return None, f"timeout: {phase} took longer than allowed"
        except httpx.ConnectError as error:
            kind = "tls" if "SSL" in str(error) or "CERTIFICATE" in str(error) else "connect"
            return None, f"{kind}: {error}"
        except (httpx.HTTPError, UnicodeError, ValueError) as error:
            return None, f"protocol: {str(error) or type(error).__name__}"
        return HttpResponse(
            response.status_code, _headers(response.headers), kept, response.reason_phrase, truncated
        ), None


def fill_path(path: str, **values: str) -> str:
    """A path template with its parameters filled in, percent-encoded."""
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path


def _headers(headers: httpx.Headers) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)


def _retry_after(response: HttpResponse) -> float | None:
    value = response.header("retry-after")
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_RETRY_AFTER else None

"""Knocks before a run: is anyone there, do the credentials open the door, and does the target tell requests apart?

A target that gives the same answer to everything would make half of all negative checks look kept, so nothing is said
about it. Used by the session before any test, and by `ringtrue doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.drivers.http import HttpDriver
from harness.spec import Operation, Spec
from harness.timeline import HttpExchange
from harness.verdicts import Reason

UNKNOWN = "ringtrue-no-such-thing"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing can be said about a system, and what to do about it."""

    system: str
    text: str
    advice: str
    reason: Reason = Reason.PRECONDITION

    def __str__(self) -> str:
        return f"{self.system}: {self.text}. {self.advice}"


def probe(driver: HttpDriver, spec: Spec) -> Problem | None:
    """Send a handful of harmless requests; None when the target is fit to be judged."""
    readable = _plainest_read(spec)
    if readable is None:
        return None
    allowed = driver.request("GET", readable.path, about={"case": "probe"})
    if allowed.response is None:
        text = f"{allowed.request.url} cannot be reached ({allowed.failure})"
        return Problem(driver.system, text, _reach_advice(allowed), Reason.UNREACHABLE)
    if allowed.about.get("operation") == "getAccessToken" or allowed.response.status in (401, 403):
        status = allowed.response.status
        return Problem(
            driver.system,
            f"{allowed.request.url} does not accept the credentials (answer {status})",
            "Check the credentials in the target file",
        )
    others = [
        driver.request("GET", readable.path, auth="none", about={"case": "probe"}),
        driver.request("GET", f"/{UNKNOWN}", about={"case": "probe"}),
        driver.request("DELETE", f"/{UNKNOWN}", about={"case": "probe"}),
    ]
    shapes = {_shape(exchange) for exchange in (allowed, *others)}
    if len(shapes) == 1:
        return Problem(
            driver.system,
            f"{driver.target.base_url} gives the same answer to everything ({allowed.response.status}, "
            f"{len(allowed.response.body)} bytes), with and without credentials",
            "Check that base_url leads to the API and not to a front page or a catch-all",
        )
    if allowed.response.status >= 500 or allowed.response.status == 404:
        return Problem(
            driver.system,
            f"{readable.method} {readable.path} is answered {allowed.response.status}",
            "Check base_url, and that the platform is up",
        )
    return None


def _plainest_read(spec: Spec) -> Operation | None:
    reads = [item for item in spec.operations if item.method == "GET" and "{" not in item.path and item.secured]
    return reads[0] if reads else None


def _reach_advice(exchange: HttpExchange) -> str:
    if (exchange.failure or "").startswith("tls"):
        return "Check its certificate, or set verify_tls = false where that is right"
    return "Check the address in the target file, and that the platform is up; `ringtrue doctor` tries again"


def _shape(exchange: HttpExchange) -> tuple[int, bytes]:
    if exchange.response is None:
        return 0, b""
    return exchange.response.status, exchange.response.body

"""Knocks before a run: is anyone there, do the credentials open the door, and does the target tell requests apart?

A target that gives the same answer to everything would make half of all negative checks look kept, so nothing is said
about it. Used by the session before any test, and by `ringtrue doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.contract import Contract
from harness.drivers.http import HttpDriver
from harness.spec import Operation
from harness.timeline import HttpExchange
from harness.verdicts import Reason

UNKNOWN = "ringtrue-no-such-thing"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing can be said about a system, and what to do about it.

    `shown_by`: an answer that is a deviation by itself, and is to be judged all the same.
    """

    system: str
    text: str
    advice: str
    reason: Reason = Reason.PRECONDITION
    shown_by: HttpExchange | None = None

    def __str__(self) -> str:
        return f"{self.system}: {self.text}. {self.advice}"


def probe(driver: HttpDriver, contract: Contract) -> Problem | None:
    """Send a handful of harmless requests; None when the target is fit to be judged."""
    readable = _plainest_read(contract)
    if readable is None:
        return None
    allowed = driver.request("GET", readable.path, about={"case": "probe"})
    refused = (allowed.failure or "").startswith("credentials:")
    if refused:
        # What the token service said stands in the timeline, and is the answer to look at.
        allowed = next(one for one in reversed(driver.timeline.of(HttpExchange)) if one.response is not None)
    answer = allowed.response
    if answer is None:
        text = f"{allowed.request.url} cannot be reached ({allowed.failure})"
        return Problem(driver.system, text, _reach_advice(allowed), Reason.UNREACHABLE)
    others = [
        driver.request("GET", readable.path, auth="none", about={"case": "probe"}),
        driver.request("GET", f"/{UNKNOWN}", auth="none", about={"case": "probe"}),
        driver.request("DELETE", f"/{UNKNOWN}", auth="none", about={"case": "probe"}),
    ]
    if len({_shape(exchange) for exchange in (allowed, *others)}) == 1:
        return Problem(
            driver.system,
            f"{driver.target.base_url} gives the same answer to everything ({answer.status}, {len(answer.body)} bytes), "
            "with and without credentials",
            "Check that base_url leads to the API and not to a front page or a catch-all",
        )
    if refused:
        said_yes = answer.status == 200
        what = "gives no access token" if said_yes else "does not accept the credentials"
        text = f"{allowed.request.url} {what} (answer {answer.status})"
        advice = "Check the address and the credentials in the target file"
        return Problem(driver.system, text, advice, shown_by=allowed if said_yes else None)
    if answer.status in (401, 403):
        text = f"{allowed.request.url} does not accept the credentials (answer {answer.status})"
        return Problem(driver.system, text, "Check the credentials in the target file")
    if answer.status >= 500 or answer.status == 404:
        text = f"{readable.method} {readable.path} is answered {answer.status}"
        return Problem(driver.system, text, "Check base_url, and that the platform is up")
    return None


def _plainest_read(contract: Contract) -> Operation | None:
    """A read that needs nothing but credentials."""
    for operation in contract.spec.operations:
        plain = operation.method == "GET" and operation.secured and "{" not in operation.path
        if plain and contract.catalogue[operation.clause].capability is None:
            return operation
    return None


def _reach_advice(exchange: HttpExchange) -> str:
    if (exchange.failure or "").startswith("tls"):
        return "Check its certificate, or set verify_tls = false where that is right"
    return "Check the address in the target file, and that the platform is up; `ringtrue doctor` tries again"


def _shape(exchange: HttpExchange) -> tuple[int, bytes]:
    if exchange.response is None:
        return 0, b""
    return exchange.response.status, exchange.response.body

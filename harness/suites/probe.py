"""Knocks before a run: is anyone there, do the credentials open the door, and does the target tell requests apart?

A target that gives the same answer to everything would make half of all negative checks look kept, so nothing is said
about it. Used by the session before any test, and by `ringtrue doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.contract import Contract
from harness.drivers.http import HttpDriver, fill_path
from harness.suites.contract.links import GIVEN, Links
from harness.target import SystemTarget
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
    method, path = _plainest(contract, driver.target)
    allowed = driver.request(method, path, about={"case": "probe"})
    refused = (allowed.failure or "").startswith("credentials:")
    if refused:
        # What the token service said stands in the timeline, and is the answer to look at.
        allowed = next(one for one in reversed(driver.timeline.of(HttpExchange)) if one.response is not None)
    answer = allowed.response
    if answer is None:
        text = f"{allowed.request.url} cannot be reached ({allowed.failure})"
        return Problem(driver.system, text, _reach_advice(allowed), Reason.UNREACHABLE)
    others = [
        driver.request(method, path, auth="none", about={"case": "probe"}),
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
        text = f"{method} {path} is answered {answer.status}"
        return Problem(driver.system, text, "Check base_url, and that the platform is up")
    return None


def _plainest(contract: Contract, target: SystemTarget) -> tuple[str, str]:
    """Method and path of the plainest thing to ask for: a read that the target declares, else any pre-flight or the root."""
    links = Links(contract.spec)
    reachable: list[tuple[str, str]] = []
    for operation in contract.spec.operations:
        capability = contract.catalogue[operation.clause].capability
        given = {
            name: getattr(target, mark, None) for name, mark in links.path_marks(operation).items() if mark in GIVEN
        }
        query = any(one.get("in") == "query" and one.get("required") for one in links.parameters(operation))
        if query or (capability and capability not in target.capabilities):
            continue
        if set(links.path_marks(operation)) == {name for name, value in given.items() if value}:
            path = fill_path(operation.path, **{name: str(value) for name, value in given.items()})
            reachable.append((operation.method, path))
            if operation.method == "GET" and operation.secured:
                return "GET", path
    return next((one for one in reachable if one[0] == "OPTIONS"), ("GET", "/"))


def _reach_advice(exchange: HttpExchange) -> str:
    if (exchange.failure or "").startswith("tls"):
        return "Check its certificate, or set verify_tls = false where that is right"
    return "Check the address in the target file, and that the platform is up; `ringtrue doctor` tries again"


def _shape(exchange: HttpExchange) -> tuple[int, bytes]:
    if exchange.response is None:
        return 0, b""
    return exchange.response.status, exchange.response.body

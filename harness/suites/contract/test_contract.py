"""The contract suite: every operation of every system, one test for each question that a document answers about it.

Which operations there are comes from the specs; what an answer means is judged by `harness.checks` when a test is over.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.checks.evidence import seen_answer, succeeded
from harness.contract import Contract
from harness.drivers.auth import Auth, TokenCredentials
from harness.spec import Operation
from harness.suites.contract.fuzz import fuzz
from harness.suites.contract.links import Links
from harness.suites.contract.members import blame_members
from harness.suites.contract.resources import Workbench
from harness.suites.current import current_plan
from harness.suites.scenario import InconclusiveError, Scenario
from harness.timeline import HttpExchange
from harness.verdicts import Reason

_SIDE_BY_SIDE = 4
_ORIGIN = "https://ringtrue.example"
_SHOWN: dict[Auth, str] = {
    "none": "without credentials",
    "wrong": "with wrong credentials",
    "altered": "with a token of which one character was changed",
    "other": "with credentials of another scheme",
}
_REFUSED_WITH = {"credentials-required-status": (401, 403), "credentials-required-401": (401,)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    maker = _PARAMETERS.get(metafunc.function.__name__)
    if maker is not None:
        metafunc.parametrize("operation", list(maker()))


@pytest.fixture
def bench(scenario: Scenario) -> Workbench:
    return Workbench(scenario)


def test_valid_request(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    credentials = scenario.worker.credentials(scenario.system)
    if not operation.secured and isinstance(credentials, TokenCredentials):
        _another_token(scenario, operation, credentials)
        return
    _make_listed(scenario, bench, operation)
    exchange = bench.send(operation)
    if not succeeded(exchange):
        blame_members(bench, operation, exchange)


def _make_listed(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    """An empty list shows nothing of its items, so something is made first; where nothing can be, it is as it is."""
    links, spec = bench.links, bench.spec
    items = (spec.operation(link.target) for link in links.all if link.source == operation.id and link.parameters)
    maker = next(filter(None, map(links.maker, items)), None) if operation.method == "GET" else None
    if maker is None or not links.is_whole(maker) or _littering(scenario.contract, maker):
        return
    if scenario.plan.catalogue[maker.clause].capability in (None, *scenario.target.capabilities):
        bench.send(maker, bench.own_parameters(maker))


def test_repeated_request(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    """A read is served as often as it is asked for: one after the other, side by side, with its media type named."""
    parameters = bench.own_parameters(operation)
    asked = {"Accept": "application/json"}
    for _ in range(2):
        if not succeeded(bench.send(operation, parameters, headers=asked)):
            return
    about = {"case": "side by side"}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        answers = list(
            pool.map(lambda _: bench.send(operation, parameters, headers=asked, about=about), range(_SIDE_BY_SIDE))
        )
    for exchange in answers:
        status = exchange.response.status if exchange.response else 0
        # A platform may ask for less at a time (429, 503), and nobody promised that it answers four at once.
        if status and status not in (429, 503):
            words = (
                f"{operation.method} {operation.path} is not served when it is asked for {_SIDE_BY_SIDE} times at once"
            )
            kept = status < 400
            scenario.check(operation.clause, kept, words, expected="2xx", seen=seen_answer(exchange), at=exchange)


def _another_token(scenario: Scenario, operation: Operation, credentials: TokenCredentials) -> None:
    """The run began with a token for these credentials, so they are right, and another one has to be given."""
    exchange = credentials.request_token(scenario.api)
    answer = exchange.response
    if answer is not None and answer.status != 429 and not succeeded(exchange):
        words = f"{operation.method} {operation.path} gives no second token"
        scenario.check(operation.clause, False, words, expected="a token", seen=answer.status, at=exchange)


def test_credentials(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    """Without credentials, or with others than the right ones, nothing is served; with those the same request is."""
    rules = scenario.contract.file.rules
    parameters = bench.own_parameters(operation)
    read = _read_of(bench, operation) if operation.method in ("PUT", "DELETE") else None
    readable = read is not None and succeeded(bench.send(read, parameters))
    refusals = {
        auth: bench.send(operation, parameters, auth=auth, about={"case": "credentials"})
        for auth in scenario.api.credentials.refusals
    }
    served = [auth for auth, exchange in refusals.items() if exchange.response and exchange.response.status < 300]
    for auth in served:
        what = f"{operation.method} {operation.path} is served {_SHOWN[auth]}"
        seen = seen_answer(refusals[auth])
        scenario.check(rules["credentials-required"], False, what, expected="a refusal", seen=seen, at=refusals[auth])
    if served:
        return  # what was served may have had its effect, so the same request says nothing more
    if read is not None and readable:
        after = bench.send(read, parameters)
        words = f"a refused {operation.method} {operation.path} had its effect all the same"
        seen = seen_answer(after)
        scenario.check(
            rules["credentials-required"], succeeded(after), words, expected="still there", seen=seen, at=after
        )
    control = bench.send(operation, parameters)
    if not succeeded(control):
        raise InconclusiveError(Reason.NO_CONTROL, "the same request with valid credentials did not succeed either")
    for auth, exchange in refusals.items():
        if exchange.response is None:
            scenario.undecided(rules["credentials-required"], Reason.UNREACHABLE, exchange.failure or "no answer")
            continue
        status = exchange.response.status
        scenario.check(rules["credentials-required"], True, "", at=exchange)
        for rule, codes in _REFUSED_WITH.items():
            if rule in rules:
                expected = " or ".join(map(str, codes))
                words = f"{operation.method} {operation.path} {_SHOWN[auth]} is not answered {expected}"
                scenario.check(rules[rule], status in codes, words, expected=expected, seen=status, at=exchange)


def _read_of(bench: Workbench, operation: Operation) -> Operation | None:
    """The operation that shows what another one changes."""
    return next((one for one in bench.spec.operations if one.method == "GET" and one.path == operation.path), None)


@pytest.fixture(scope="session")
def generator() -> None:
    """Everything that makes requests is loaded before the first one is due."""
    importlib.import_module("harness.suites.contract.engine")


@pytest.mark.usefixtures("generator")
def test_generated_requests(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    plan = scenario.plan
    fuzz(bench, operation, seed=plan.seed, max_examples=plan.max_examples)
    _refusals(scenario)


@pytest.mark.usefixtures("generator")
def test_linked_operations(scenario: Scenario, bench: Workbench, operation: str) -> None:
    del operation
    plan = scenario.plan
    fuzz(bench, None, seed=plan.seed, max_examples=plan.max_examples)
    _refusals(scenario)


def _refusals(scenario: Scenario) -> None:
    """Requests that no document allows must not break the platform; 502 to 504 speak of something behind it."""
    clause = scenario.contract.file.rules.get("refusals-are-4xx")
    if clause is None:
        return
    for exchange in scenario.timeline.of(HttpExchange):
        if exchange.response is None or exchange.about.get("case") != "negative" or exchange.response.status < 400:
            continue
        status = exchange.response.status
        broken = status >= 500 and status not in (502, 503, 504)
        name = exchange.about.get("operation", exchange.request.method)
        scenario.check(
            clause,
            not broken,
            f"{name} breaks on a request that it should refuse",
            expected="4xx",
            seen=status,
            at=exchange,
        )


def test_other_method(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    clause = scenario.contract.file.rules["method-not-allowed"]
    parameters = bench.parameters(operation)
    from harness.drivers.http import fill_path

    exchange = scenario.api.request("PATCH", fill_path(operation.path, **parameters), about={"case": "other method"})
    if exchange.response is None:
        raise InconclusiveError(Reason.UNREACHABLE, exchange.failure or "no answer")
    words = f"PATCH {operation.path} is not answered 405"
    scenario.check(
        clause, exchange.response.status == 405, words, expected=405, seen=exchange.response.status, at=exchange
    )


def test_cross_origin(scenario: Scenario, bench: Workbench, operation: Operation) -> None:
    """A pre-flight, and then the request that it was for."""
    from harness.drivers.http import fill_path

    parameters = bench.parameters(operation)
    asked = {
        "Origin": _ORIGIN,
        "Access-Control-Request-Method": operation.method,
        "Access-Control-Request-Headers": "authorization",
    }
    exchange = scenario.api.request(
        "OPTIONS", fill_path(operation.path, **parameters), headers=asked, auth="none", about={"case": "preflight"}
    )
    if exchange.response is None:
        raise InconclusiveError(Reason.UNREACHABLE, exchange.failure or "no answer")
    bench.send(operation, parameters, headers={"Origin": _ORIGIN})


def _parameter(contract: Contract, name: str, value: object, **about: object) -> object:
    mark = pytest.mark.judges(system=contract.system, **about)
    return pytest.param(value, id=f"{contract.system}-{name}", marks=mark)


def _each(
    wanted: Callable[[Contract, Operation], bool],
    title: str,
    clauses: Callable[[Contract, Operation], list[str]],
) -> Callable[[], Iterator[object]]:
    """Parameters for a question that is asked of operations; `title` may use method and path."""

    def make() -> Iterator[object]:
        for contract in current_plan().contracts.values():
            for one in contract.spec.operations:
                if wanted(contract, one):
                    words = title.format(method=one.method, path=one.path, id=one.id)
                    about = clauses(contract, one)
                    needs = {contract.catalogue[clause].capability for clause in (one.clause, *about)}
                    yield _parameter(
                        contract,
                        one.id,
                        one,
                        title=words,
                        clauses=about,
                        asked=one.clause,
                        needs=sorted(filter(None, needs)),
                    )

    return make


def _rules(contract: Contract, *names: str) -> list[str]:
    return [contract.file.rules[name] for name in names if name in contract.file.rules]


def _systems() -> Iterator[object]:
    for contract in current_plan().contracts.values():
        title = "Operations keep their promises one after the other"
        yield _parameter(contract, "links", contract.system, title=title, clauses=[])


def _reads(contract: Contract, operation: Operation) -> bool:
    return operation.secured and operation.method == "GET" and contract.catalogue[operation.clause].capability is None


def _whole(contract: Contract, operation: Operation) -> bool:
    return Links(contract.spec).is_whole(operation)


def _answerable(contract: Contract, operation: Operation) -> bool:
    """Operations whose credentials can be tried without causing a call or changing what is not ours."""
    return operation.secured and _whole(contract, operation) and "credentials-required" in contract.file.rules


def _fuzzable(contract: Contract, operation: Operation) -> bool:
    """What cannot be taken away again is made by the dozen only where the target says that it may be."""
    return operation.secured and _whole(contract, operation) and not _littering(contract, operation)


def _littering(contract: Contract, operation: Operation) -> bool:
    """Whether something would stay at a target that does not say that it may."""
    return Links(contract.spec).leaves_behind(operation) and not current_plan().target.systems[contract.system].scratch


_PREFLIGHT = ("origin", "credentials", "headers", "methods")
_PARAMETERS: dict[str, Callable[[], Iterator[object]]] = {
    "test_valid_request": _each(
        _whole,
        "A valid {method} {path} is served",
        lambda contract, one: [one.clause, one.status_clause],
    ),
    "test_repeated_request": _each(
        _reads,
        "{method} {path} is served again and again",
        lambda contract, one: [one.clause],
    ),
    "test_credentials": _each(
        _answerable,
        "{method} {path} needs valid credentials",
        lambda contract, one: _rules(contract, "credentials-required", *_REFUSED_WITH),
    ),
    "test_generated_requests": _each(
        _fuzzable,
        "{method} {path} keeps its promises for generated requests",
        lambda contract, one: [one.status_clause],
    ),
    "test_linked_operations": _systems,
    "test_other_method": _each(
        lambda contract, one: _reads(contract, one) and "method-not-allowed" in contract.file.rules,
        "A method that {path} does not have is refused",
        lambda contract, one: _rules(contract, "method-not-allowed"),
    ),
    "test_cross_origin": _each(
        lambda contract, one: _reads(contract, one) and "preflight-allow-origin" in contract.file.rules,
        "A pre-flight for {method} {path} is answered in full",
        lambda contract, one: _rules(
            contract,
            *(f"preflight-allow-{name}" for name in _PREFLIGHT),
            "preflight-max-age",
            "cors-allow-origin",
            "cors-other-headers",
        ),
    ),
}

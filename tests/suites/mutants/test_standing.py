"""What stands between: one thing of an operation's answers or of a kind of callback is changed, all else passes as it is."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.contract import Contract, load_contracts
from harness.suites.mutants import Standing, mutants_of
from harness.suites.mutants.placing import MutantError, find_mutant
from harness.suites.mutants.standing import Sight, changes
from harness.timeline import Callback, HttpExchange, HttpRequest, HttpResponse

_BASE = "https://vtx.example/openapi"
_SERVER = {"buildCustomer": "é", "buildVersion": "7", "bulkLimitCommon": 17, "more": {"kept": [1, 2.5, None]}}
_PUSH = {"subscriptionId": "s", "callLogEvents": [{"eventTime": "2025-01-31T12:00:00.000Z"}]}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contracts(("vtx",))["vtx"]


def _standing(name: str, contract: Contract, folder: Path) -> Standing:
    return Standing(mutants_of("vtx")[name], contract, _BASE, folder / "mutant.jsonl")


def _exchange(path: str = "/v1/system/server", status: int = 200, **about: str) -> HttpExchange:
    body = json.dumps(_SERVER).encode()
    headers = (("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(body))), ("X-A", "b"))
    answer = HttpResponse(status, headers, body, "OK")
    return HttpExchange(0.0, system="vtx", request=HttpRequest("GET", _BASE + path), response=answer, about=about)


def test_one_member_of_the_answer_changes_and_its_length_is_right(contract: Contract, tmp_path: Path) -> None:
    standing = _standing("vtx/getServer/buildVersion/type", contract, tmp_path)
    seen = standing.answer(_exchange()).response
    assert seen is not None
    assert json.loads(seen.body) == {**_SERVER, "buildVersion": -720071}
    assert (seen.status, seen.reason) == (200, "OK")
    assert seen.headers == (
        ("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(seen.body))), ("X-A", "b"),
    )  # fmt: skip
    assert changes(tmp_path) == 1


def test_status_type_and_body_change_alone(contract: Contract, tmp_path: Path) -> None:
    true = _exchange()
    assert true.response is not None
    relabelled = _standing("vtx/getServer/status", contract, tmp_path).answer(true).response
    assert relabelled == replace(true.response, status=207, reason="")
    other = _standing("vtx/getServer/content-type", contract, tmp_path).answer(true).response
    assert other is not None
    assert (other.body, other.header("content-type")) == (true.response.body, "text/plain")
    none = _standing("vtx/getServer/not-json", contract, tmp_path).answer(true).response
    assert none is not None
    assert none.body == b"ringtrue mutant"
    assert none.header("content-type") == true.response.header("content-type")


@pytest.mark.parametrize(
    "other",
    [
        _exchange("/v1/subscriptions"),
        _exchange(status=404),
        replace(_exchange(), system="apidaze"),
        replace(_exchange(), response=None),
        replace(_exchange(), response=HttpResponse(200, (("Content-Type", "application/json"),), b"{", truncated=True)),
        replace(_exchange(), response=HttpResponse(200, (("Content-Type", "application/json"),), b'{"buildDate": 1}')),
        replace(_exchange(), response=HttpResponse(200, (("Content-Type", "text/html"),), b'{"buildVersion": "7"}')),
        replace(_exchange(), request=HttpRequest("GET", "https://elsewhere.example/openapi/v1/system/server")),
    ],
    ids=["operation", "status", "system", "none", "truncated", "member", "media", "host"],
)
def test_all_else_passes_untouched(other: HttpExchange, contract: Contract, tmp_path: Path) -> None:
    assert _standing("vtx/getServer/buildVersion/type", contract, tmp_path).answer(other) is other
    assert changes(tmp_path) == 0


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_callback_is_changed_in_its_own_coding(coding: str, contract: Contract, tmp_path: Path) -> None:
    plain = json.dumps(_PUSH).encode()
    body = gzip.compress(plain) if coding else plain
    packed = (("content-encoding", coding),) if coding else ()
    headers = (("content-type", "application/json"), ("content-length", str(len(body))), ("x-token", "t"), *packed)
    request = HttpRequest("POST", "http://127.0.0.1:1/anywhere", headers, body)
    standing = _standing("vtx/pushCallLog/callLogEvents[].eventTime/removed", contract, tmp_path)
    made = standing.callback(request)
    assert made is not None
    assert json.loads(gzip.decompress(made[1]) if coding else made[1]) == {"subscriptionId": "s", "callLogEvents": [{}]}
    assert [pair for pair in made[0] if pair[0] != "content-length"] == [h for h in headers if h[0] != "content-length"]
    assert dict(made[0])["content-length"] == str(len(made[1]))
    assert _standing("vtx/getServer/buildVersion/type", contract, tmp_path).callback(request) is None


def test_what_a_run_has_seen_tells_which_mutants_would_have_changed_something(contract: Contract) -> None:
    sight = Sight(mutants_of("vtx").values(), contract, _BASE)
    request = HttpRequest("POST", "http://h/x", (("content-type", "application/json"),), json.dumps(_PUSH).encode())
    seen = sight.of([_exchange(), Callback(0.0, request=request)])
    assert "vtx/getServer/buildVersion/removed" in seen
    assert "vtx/getServer/buildDate/removed" not in seen
    assert "vtx/pushCallLog/subscriptionId/removed" in seen
    assert "vtx/pushCallLog/callLogEvents[].callLog/removed" not in seen
    assert not any("listSubscriptions" in name for name in seen)


@pytest.mark.parametrize(
    ("name", "systems", "words"),
    [
        ("vtx/getServr/status", (), "did you mean vtx/getServer/status"),
        ("vtc/getServer/status", (), "it begins with a system, one of apidaze"),
        ("vtx/getServer/status", ("apidaze",), "is one of vtx, and the run is about apidaze"),
    ],
)
def test_a_mutant_that_there_is_not_is_refused(name: str, systems: tuple[str, ...], words: str) -> None:
    with pytest.raises(MutantError, match=words):
        find_mutant(name, systems)

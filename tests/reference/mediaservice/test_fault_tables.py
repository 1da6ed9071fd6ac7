"""Each fault that is made from a table shows: in the members of a callback, in an INVITE, or in the answer of an operation.

All of these are tried, as no call is needed for them; the faults in what is done with calls have a test of their own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.reference.faults import FAULTS
from harness.reference.faults.mediaservice import callbacks as mediaservice_callbacks
from harness.reference.faults.mediaservice import members as mediaservice_members
from harness.reference.faults.mediaservice import operations as mediaservice_operations
from harness.reference.faults.mediaservice import prompts as mediaservice_prompts
from harness.reference.faults.mediaservice import sip as mediaservice_sip
from harness.reference.faults.mediaservice.members import CALLBACKS
from harness.reference.faults.mediaservice.operations import BODIES, CALLS, PREFLIGHTS
from harness.reference.mediaservice import Mediaservice
from harness.reference.mediaservice.mapping import Inbound
from harness.reference.settings import Address
from harness.reference.sip.message import Headers
from harness.reference.web import Front
from tests.reference.mediaservice.bench import SETTINGS

MINE = [fault for fault in FAULTS.values() if fault.system == "mediaservice"]
_MEMBERS = {fault.id: fault for fault in mediaservice_members.collect.faults}
_SIP = {fault.id: fault for fault in mediaservice_sip.collect.faults}

# Everything that a callback may have, with values that no fault gives it.
FULL: dict[str, Any] = {
    **dict.fromkeys(("displayName", "diversionHeaders", "referredBy", "paiNumber", "subject", "codec", "reason"), "x"),
    **{name: {"x-a": "b"} for name in ("xHeaders", "pHeaders", "errorDetails")},
    **dict.fromkeys(("remoteRtpIp", "remoteRtpPort", "dtmfBuffer", "errorDescr", "sipReason"), "y"),
    **{"copyHeaders": ["x-a"], "monitoringParticipant": False, "sipResponseCode": 486, "fileSize": 5, "crypto": [{}]},
    "telephoneEventPayloadType": 101,
    "dtmfParams": {"dtmfMatch": "1", "reason": "r", "matchedTerminationKey": "#", "encryption": {"type": "md5"}},
}
ASKED: dict[str, Any] = {
    "sipFrom": "1",
    "displayName": "D",
    "sipTo": "2",
    "sipPAI": "3",
    "sipRPID": "4",
    "sipDiversion": "5",
    "sipDiversionParameters": {"reason": "unknown"},
    "xHeaders": {"x-one": ["1", "2"]},
    "pHeaders": {"p-one": ["1", "2"]},
    "copyHeaders": ["x-in"],
    "contactParameters": {"a": "b"},
    "contactUserParameters": {"c": "d"},
    "monitorSipFrom": "6",
    "monitorXHeaders": {"x-spy": "1"},
    "monitorPHeaders": {"p-spy": "1"},
}


def made(fault: str | None, **settings: Any) -> Mediaservice:
    """A system that adds nothing of its own to what callbacks tell."""
    system = Mediaservice(SETTINGS if not settings else SETTINGS.__class__(**{**SETTINGS.__dict__, **settings}))
    system.callbacks.site.clear()
    if fault is not None:
        FAULTS[fault].apply(system)
    return system


def test_every_fault_names_a_clause_and_no_two_share_an_id() -> None:
    specs = Path(__file__).resolve().parents[3] / "specs" / "mediaservice"
    text = "".join(file.read_text() for file in [*specs.glob("*.yaml"), *specs.glob("clauses/*.yaml")])
    named = set(re.findall(r"^    (MS-[\w-]+):$", text, re.MULTILINE))
    for fault in MINE:
        clause = fault.clause.removeprefix("MS-").partition(":")[0].split(".")[0]
        assert fault.clause in named or clause in text, fault.id
    assert len({fault.id for fault in MINE}) == len(MINE) > 700


@pytest.mark.parametrize("schema", CALLBACKS)
def test_a_fault_in_a_member_shows_in_its_callback(schema: str) -> None:
    name = CALLBACKS[schema]
    required = {path: "a" for path in mediaservice_members.TYPES[schema] if "." not in path}
    healthy = required | {key: value for key, value in FULL.items() if key in required}
    assert made(None).callbacks.compose(name, healthy) == healthy
    faults = [fault for fault in _MEMBERS.values() if fault.clause.startswith(f"MS-{schema}.")]
    assert faults
    for fault in faults:
        system = made(fault.id)
        assert system.callbacks.compose(name, healthy) != healthy, fault.id
        assert system.callbacks.compose("another", healthy) == healthy, fault.id


def _told_otherwise() -> dict[str, tuple[str, dict[str, Any]]]:
    """The faults in what callbacks tell that change a message on its way out: which one, and what it would have told."""
    tables = mediaservice_callbacks
    cases: dict[str, tuple[str, dict[str, Any]]] = {}
    for clause, (callback, path, _) in tables.VALUES.items():
        cases[f"{clause}-wrong"] = (callback, FULL | {path: "a"} if "." not in path else FULL)
    cases |= {f"{clause}-invented": (callback, {}) for clause, (callback, *_) in tables.INVENTED.items()}
    cases |= {f"{clause}-changing": (callback, {path: "a"}) for clause, (callback, path) in tables.CHANGING.items()}
    cases |= {f"{name}-unsent": (name, FULL) for name in tables.UNSENT}
    cases |= {f"{name}-shape": (name, FULL) for name in tables.UNSENT}
    cases |= {f"{event}-unsent": ("callEvent", {"event": event}) for event in tables.EVENTS}
    cases |= {f"{clause}-unsent": ("alarm", {"error": error}) for error, clause in tables.ALARMS.items()}
    parties = {"callerParticipantId": "a", "calleeParticipantId": "b"}
    return cases | {
        "callingParty-ignores-pai": ("newCall", {"callingParty": "a", "fromUser": "b"}),
        "displayName-lost": ("newCall", FULL),
        "repeated-xHeaders-joined": ("newCall", {"xHeaders": {"x-a": ["1", "2"]}}),
        "repeated-pHeaders-joined": ("newCall", {"pHeaders": {"p-a": ["1", "2"]}}),
        "participants-alike": ("callAnswered", parties),
        "errorDescr-missing": ("callEvent", FULL),
        "dtmfBuffer-missing": ("getIvrCommand", FULL),
        "dtmfParams-missing": ("getIvrCommand", FULL),
        "recording-failed-silently": ("recordingReady", FULL),
    }


_OTHERWISE = _told_otherwise()


def test_a_fault_in_what_is_told_shows_in_its_callback_only() -> None:
    for fault, (callback, members) in _OTHERWISE.items():
        healthy, faulty = made(None), made(f"mediaservice-{fault}")
        told = [system.callbacks.compose(callback, dict(members)) for system in (healthy, faulty)]
        assert told[0] == members, fault
        assert told[1] != members, fault
        assert faulty.callbacks.compose("another", dict(members)) == members, fault


def _invites(system: Mediaservice, asked: dict[str, Any], origin: str) -> list[object]:
    inbound = Inbound("alice", "Alice", Headers([("X-In", "1"), ("P-In", "2")]))
    build = (system.parts.mapping.outgoing, system.parts.mapping.monitoring)
    return [one("sip:bob@127.0.0.1:5999", asked, inbound, origin) for one in build]


@pytest.mark.parametrize("origin", ["newCall", "callEvent", "placeivrcall"])
def test_a_fault_in_an_invite_shows_after_its_own_origin_only(origin: str) -> None:
    private = {"callerPrivacy": True}
    faults = [fault for fault in _SIP if fault.startswith(f"mediaservice-{origin}-")]
    assert len(faults) > 10
    for fault in faults:
        healthy, faulty = made(None), made(fault)
        assert any(
            _invites(healthy, asked, origin) != _invites(faulty, asked, origin) for asked in (ASKED, {}, private)
        ), fault
        assert all(
            _invites(healthy, asked, "other") == _invites(faulty, asked, "other") for asked in (ASKED, {}, private)
        ), fault


async def _ask(system: Mediaservice, *requests: tuple[str, str, dict[str, Any]]) -> list[object]:
    """Status, headers that matter, and members of the answers to some requests."""
    transport = httpx.ASGITransport(app=Front([system.mounts()]))
    seen: list[object] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/mediaservice") as http:
        for method, path, options in requests:
            answer = await http.request(
                method, f"/{system.target(Address('127.0.0.1', 80))['domain']}/{path}", **options
            )
            shown = answer.json() if "_files" not in path else answer.content
            url = shown.pop("url", None) if isinstance(shown, dict) else None
            fetched = (await http.get(url)).content if isinstance(url, str) and "_files" in url else None
            shown_headers = (
                pair for pair in answer.headers.items() if re.match("access-control|content-type", pair[0])
            )
            expires = url.partition("&")[0][-20:] if isinstance(url, str) else url
            seen.append((answer.status_code, shown, sorted(shown_headers), expires, fetched))
    await system.fetcher.close()
    return seen


def _differ(fault: str, *requests: tuple[str, str, dict[str, Any]], **settings: Any) -> bool:
    healthy = asyncio.run(_ask(made(None, **settings), *requests))
    return healthy != asyncio.run(_ask(made(fault, **settings), *requests))


_PATHS = {"list": ("GET", "promptfile"), "put": ("PUT", "promptfile/a.wav"), "delete": ("DELETE", "promptfile/a.wav")}
_FILE_PATHS = _PATHS | {"move": ("POST", "promptfile/a.wav/move"), "url": ("GET", "promptfile/a.wav/url")}


def _request_for(name: str) -> tuple[str, str, dict[str, Any]]:
    method, path = _FILE_PATHS.get(name, ("POST", name))
    return method, path, {"json": {"replyId": "x"}} if method == "POST" else {}


@pytest.mark.parametrize("operation", mediaservice_operations.OPERATIONS)
def test_a_fault_in_an_operation_shows_in_its_answer(operation: str) -> None:
    name = mediaservice_operations.OPERATIONS[operation]
    for end in ("not-served", "status", "shape"):
        assert _differ(f"mediaservice-{operation}-{end}", _request_for(name)), end


@pytest.mark.parametrize("operation", PREFLIGHTS)
def test_a_fault_in_a_pre_flight_shows_in_its_answer(operation: str) -> None:
    name = {"PromptFile": "put", "MovePromptFile": "move", "PromptFileUrl": "url"}.get(operation) or CALLS[operation]
    request: Asked = ("OPTIONS", _request_for(name)[1], {})
    for end in ("not-served", "status", "shape"):
        fault = f"mediaservice-preflight{operation[0].upper()}{operation[1:]}-{end}"
        assert _differ(fault, request), fault
    for header in ("Origin", "Methods", "Headers"):
        assert _differ(f"mediaservice-preflight-Access-Control-Allow-{header}-missing", request)


@pytest.mark.parametrize("schema", BODIES)
def test_a_member_that_is_refused_shows_in_the_answer(schema: str) -> None:
    names, listed = BODIES[schema]
    for member in listed:
        for name in names:
            method, path = _FILE_PATHS.get(name, ("POST", name))
            value: Any = {"replyId": "x", "type": "s3", "receivePort": 9, "maxRingTime": 1}.get(member, "x")
            assert _differ(f"mediaservice-{schema}-{member}-refused", (method, path, {"json": {member: value}})), member


Asked = tuple[str, str, dict[str, Any]]
PUT: Asked = ("PUT", "promptfile/a.wav", {"content": b"12"})
_MOVE = {"bucketRegion": "eu-north-1", "bucketName": "bucket", "type": "s3"}
_FILES: list[Asked] = [("PUT", f"promptfile/f{number:02}.wav", {"content": b"1"}) for number in range(12)]
_LIST: Asked = ("GET", "promptfile", {})
_URL: Asked = ("GET", "promptfile/a.wav/url", {})
_MANY = (*_FILES, _LIST, ("GET", "promptfile?next=ImYwOS53YXYi", {}))
_MOVES = [("POST", "promptfile/a.wav/move", {"json": {k: v for k, v in _MOVE.items() if k != name}}) for name in _MOVE]
_STORY = (
    _URL,
    PUT,
    ("PUT", "promptfile/a.wav", {"content": b"345"}),
    *_MANY,
    _URL,
    *_MOVES,
    ("POST", "promptfile/a.wav/move", {"json": _MOVE | {"type": "ftp"}}),
    _URL,
    ("DELETE", "promptfile/f01.wav", {}),
    _LIST,
)


@pytest.mark.parametrize(
    "fault", [fault.id for fault in mediaservice_prompts.collect.faults if "move-keeps" not in fault.id]
)
def test_a_fault_with_prompt_files_shows_in_their_story(fault: str) -> None:
    assert _differ(fault, *_STORY)


_OTHERS: dict[str, Callable[[], bool]] = {
    "success-type": lambda: _differ("mediaservice-success-type", PUT),
    "list-success-type": lambda: _differ("mediaservice-list-success-type", _LIST),
    "url-success-type": lambda: _differ("mediaservice-url-success-type", PUT, _URL),
    "list-next-type": lambda: _differ("mediaservice-list-next-type", *_MANY),
    "list-files-type": lambda: _differ("mediaservice-list-files-type", _LIST),
    "url-type": lambda: _differ("mediaservice-url-type", PUT, _URL),
    "url-form": lambda: _differ("mediaservice-url-form", PUT, _URL),
    "reason-type": lambda: _differ("mediaservice-reason-type", _URL),
    "error-type": lambda: _differ("mediaservice-error-type", _URL),
    "list-size-missing": lambda: _differ("mediaservice-list-size-missing", PUT, _LIST),
    "content-type-text": lambda: _differ("mediaservice-content-type-text", PUT, _LIST),
    "allow-origin-missing": lambda: _differ("mediaservice-allow-origin-missing", _LIST),
    "unknown-replyId-accepted": lambda: _differ("mediaservice-unknown-replyId-accepted", _request_for("hangupcall")),
    "refusal-500": lambda: _differ("mediaservice-refusal-500", ("POST", "hangupcall", {"content": b"{"})),
    "auth-unchecked": lambda: _differ("mediaservice-auth-unchecked", _LIST, mediaservice_auth="basic"),
    "auth-status": lambda: _differ("mediaservice-auth-status", _LIST, mediaservice_auth="basic"),
    "preflight-closed": lambda: _differ(
        "mediaservice-preflight-closed", ("OPTIONS", "hangupcall", {}), mediaservice_auth="bearer"
    ),
    **{
        f"crypto-{name}-refused": lambda name=name: _differ(  # type: ignore[misc]
            f"mediaservice-crypto-{name}-refused", ("POST", "placeremotecall", {"json": {"crypto": [{name: "x"}]}})
        )
        for name in ("suite", "config")
    },
}


@pytest.mark.parametrize("fault", _OTHERS)
def test_a_fault_of_all_answers_shows(fault: str) -> None:
    assert _OTHERS[fault]()

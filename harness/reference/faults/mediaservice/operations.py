"""Mediaservice faults by operation: not served, another status or shape, a value refused, headers missing.

Part of the fault catalogue; made from tables, as each operation can break in the same ways. The clause of an operation
bears its name in the OpenAPI document.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.mediaservice.http.api import find, path_of

collect = Collector("mediaservice")

# Operation of the OpenAPI document to its name in the path.
CALLS = {
    "answerRemoteCall": "answerremotecall",
    "answerRemoteCallJwt": "answerremotecalljwt",
    "hangupCall": "hangupcall",
    "hangupCallJwt": "hangupcalljwt",
    "hangupParticipant": "hangupparticipant",
    "hangupRemoteParticipant": "hangupremoteparticipant",
    "interruptIvrCommand": "interruptivrcommand",
    "placeIvrCall": "placeivrcall",
    "placeRemoteCall": "placeremotecall",
    "placeRemoteCallJwt": "placeremotecalljwt",
    "sendRemoteCallRingback": "sendremotecallringback",
    "sendRemoteCallRingbackJwt": "sendremotecallringbackjwt",
    "splitConnection": "splitconnection",
    "startRecording": "startrecording",
    "stopRecording": "stoprecording",
}
# The same for prompt files; the names are those of the API's methods.
FILES = {
    "listPromptFiles": "list",
    "putPromptFile": "put",
    "deletePromptFile": "delete",
    "movePromptFile": "move",
    "getPromptFileUrl": "url",
}
OPERATIONS = CALLS | FILES
PREFLIGHTS = [*CALLS, "PromptFile", "MovePromptFile", "PromptFileUrl"]
_PREFLIGHT_PATHS = {"PromptFile": "put", "MovePromptFile": "move", "PromptFileUrl": "url"}
# Schema of a request's members to the operations that take it, and its members. Those without which an operation cannot be
# done are left out: who refuses them does not serve the operation, and from outside nothing tells the two apart.
BODIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AnswerRemoteCall": (
        ("answerremotecall", "answerremotecalljwt"),
        ("codec", "sessionReferenceId", "telephoneEventPayloadType", "crypto"),
    ),
    "HangupCall": (("hangupcall", "hangupcalljwt"), ("replyId",)),
    "HangupParticipant": (("hangupparticipant",), ("participantId", "replyId", "sessionId")),
    "HangupRemoteParticipant": (("hangupremoteparticipant",), ("participantId", "replyId")),
    "InterruptIvrCommand": (("interruptivrcommand",), ("replyId", "sessionId")),
    "PlaceIvrCall": (
        ("placeivrcall",),
        (
            "sipFrom",
            "xHeaders",
            "sessionReferenceId",
            "sipDiversion",
            "displayName",
            "callerPrivacy",
            "contactParameters",
            "sipDiversionParameters",
            "pHeaders",
            "contactUserParameters",
            "maxRingTime",
        ),
    ),
    "PlaceRemoteCall": (
        ("placeremotecall", "placeremotecalljwt"),
        (
            "codec",
            "sessionReferenceId",
            "telephoneEventPayloadType",
            "sourceUser",
            "crypto",
            "callbackBaseUrl",
        ),
    ),
    "MovePromptFile": (("move",), ("kmsKey", "objectKey")),
    "SendRemoteCallRingback": (("sendremotecallringback", "sendremotecallringbackjwt"), ("replyId",)),
    "SplitConnection": (("splitconnection",), ("replyId", "connectionId")),
    "StartRecording": (("startrecording",), ("recordingFileName", "replyId", "connectionId")),
    "StopRecording": (("stoprecording",), ("replyId", "connectionId")),
}

Answer = Callable[[Request], Awaitable[Response]]
Change = Callable[[Any, Request, Response], Response]


def operation_of(request: Request) -> tuple[str, str]:
    """The method of a request, and the operations of its path, joined by commas."""
    found = find(path_of(request)[1:])
    return request.method, ",".join(found.operations.values()) if found else ""


def _on(names: tuple[str, ...], method: str | None, change: Change, system: Any) -> None:
    """Change the answer to requests for these operations; `method` OPTIONS is the pre-flight."""

    async def answer(really: Answer, request: Request) -> Response:
        response = await really(request)
        sent, served = operation_of(request)
        found = find(path_of(request)[1:])
        own = found.operations.get(sent, "") if found else ""
        hit = served.split(",")[0] in names if method == "OPTIONS" else own in names
        return change(system, request, response) if hit and (sent == "OPTIONS") == (method == "OPTIONS") else response

    wrap(system.api, "answer", answer)


def _status(status: int, system: Any, _request: Request, response: Response) -> Response:
    del system
    response.status_code = status
    return response


def _not_served(system: Any, _request: Request, _response: Response) -> Response:
    refused: Response = system.api.done(405, {"success": False, "reason": "This operation is not served"})
    return refused


def _shape(system: Any, _request: Request, response: Response) -> Response:
    return JSONResponse(["done"], response.status_code, system.api.headers())


def _without(header: str, system: Any, _request: Request, response: Response) -> Response:
    del system
    del response.headers[header]
    return response


def _refuse_member(names: tuple[str, ...], member: str, system: Any) -> None:
    async def answer(really: Answer, request: Request) -> Response:
        if operation_of(request)[1] in names and request.method == "POST":
            try:
                asked = json.loads(await request.body())
            except ValueError:
                asked = {}
            if isinstance(asked, dict) and member in asked:
                refused: Response = system.api.done(400, {"success": False, "reason": f"{member} is not accepted"})
                return refused
        return await really(request)

    wrap(system.api, "answer", answer)


for _operation, _name in OPERATIONS.items():
    _faults: tuple[tuple[str, str, str, Change], ...] = (
        ("not-served", "", "is not served", _not_served),
        ("status", ".status", "answers 207", partial(_status, 207)),
        ("shape", ".body", "answers an array", _shape),
    )
    for _end, _part, _words, _change in _faults:
        collect.add(
            f"{_operation}-{_end}",
            f"MS-{_operation}{_part}",
            f"{_operation} {_words}",
            partial(_on, (_name,), None, _change),
        )
for _operation in PREFLIGHTS:
    _name = _PREFLIGHT_PATHS.get(_operation) or CALLS[_operation]
    _id = f"preflight{_operation[0].upper()}{_operation[1:]}"
    for _end, _part, _words, _change in _faults:
        collect.add(f"{_id}-{_end}", f"MS-{_id}{_part}", f"{_id} {_words}", partial(_on, (_name,), "OPTIONS", _change))
for _header in ("Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"):
    collect.add(
        f"preflight-{_header}-missing",
        f"MS-preflight.{_header}",
        f"a pre-flight answer has no {_header}",
        partial(_on, (*CALLS.values(), "put", "move", "url"), "OPTIONS", partial(_without, _header)),
    )
collect.add(
    "allow-origin-missing",
    "MS-header.Access-Control-Allow-Origin",
    "an answer has no Access-Control-Allow-Origin",
    partial(_on, tuple(OPERATIONS.values()), None, partial(_without, "Access-Control-Allow-Origin")),
)
for _schema, (_names, _members) in BODIES.items():
    for _member in _members:
        collect.add(
            f"{_schema}-{_member}-refused",
            f"MS-{_schema}.{_member}",
            f"a request with {_member} is refused",
            partial(_refuse_member, _names, _member),
        )


def _replaced_answer(members: dict[str, Any], system: Any) -> None:
    def done(really: Callable[..., Response], status: int, shown: dict[str, Any], *more: Any) -> Response:
        return really(status, {**shown, **{key: value for key, value in members.items() if key in shown}}, *more)

    wrap(system.api, "done", done)


for _id, _clause, _changed in (
    ("success-type", "Success.success", {"success": "yes"}),
    ("list-success-type", "PromptFileList.success", {"success": "yes"}),
    ("url-success-type", "PromptFileUrl.success", {"success": "true"}),
    ("list-next-type", "PromptFileList.next", {"next": 17}),
    ("list-files-type", "PromptFileList.files", {"files": "none"}),
    ("url-type", "PromptFileUrl.url", {"url": 17}),
    ("url-form", "PromptFileUrl.url:format", {"url": "not a url at all"}),
    ("reason-type", "PromptFileUrl.reason", {"reason": 17}),
    ("error-type", "PromptFileUrl.error", {"error": 17}),
):
    collect.add(_id, f"MS-{_clause}", f"answers show {_changed}", partial(_replaced_answer, _changed))


@collect("success-false", "MS-success-true", "an operation that was carried out answers success false")
def _success_false(system: Any) -> None:
    def run(really: Callable[..., Any], name: str, asked: Any) -> Any:
        return really(name, asked) or "carried out, though"

    wrap(system.operations, "run", run)


@collect("unknown-replyId-accepted", "MS-unknown-replyId-refused", "success is true whatever the replyId")
def _unknown_accepted(system: Any) -> None:
    def run(really: Callable[..., Any], name: str, asked: Any) -> Any:
        really(name, asked)

    wrap(system.operations, "run", run)


@collect("refusal-500", "MS-refusals-are-4xx", "what is not accepted is answered with 500")
def _refusal_500(system: Any) -> None:
    def done(really: Callable[..., Response], status: int, *more: Any) -> Response:
        return really(500 if 400 <= status < 500 else status, *more)

    wrap(system.api, "done", done)


def _text(system: Any, _request: Request, response: Response) -> Response:
    del system
    response.headers["content-type"] = "text/plain; charset=utf-8"
    return response


def _sizeless(system: Any, _request: Request, response: Response) -> Response:
    shown = json.loads(bytes(response.body))
    files = [{"name": file["name"]} for file in shown["files"]]
    return JSONResponse(shown | {"files": files}, response.status_code, system.api.headers())


collect.add(
    "content-type-text",
    "MS-listPromptFiles.body",
    "the list of files is called text/plain",
    partial(_on, ("list",), None, _text),
)
collect.add(
    "list-size-missing",
    "MS-PromptFileList.files.size",
    "files are listed without their size",
    partial(_on, ("list",), None, _sizeless),
)


def _refuse_crypto(member: str, system: Any) -> None:
    async def answer(really: Answer, request: Request) -> Response:
        body = await request.body() if request.method == "POST" else b""
        if b'"crypto"' in body and f'"{member}"'.encode() in body:
            refused: Response = system.api.done(400, {"success": False, "reason": f"{member} is not accepted"})
            return refused
        return await really(request)

    wrap(system.api, "answer", answer)


for _member in ("id", "suite", "config"):
    collect.add(
        f"crypto-{_member}-refused",
        f"MS-Cryptos.{_member}",
        f"a crypto with {_member} is refused",
        partial(_refuse_crypto, _member),
    )


@collect("preflight-closed", "MS-preflight-open", "a pre-flight request without credentials is refused")
def _preflight_closed(system: Any) -> None:
    def preflight(really: Callable[..., Response], found: Any) -> Response:
        refused: Response = system.api.done(401, {"success": False, "reason": "Credentials are required"})
        return refused if system.access.scheme != "none" else really(found)

    wrap(system.api, "preflight", preflight)


@collect("auth-unchecked", "MS-auth-required", "requests without credentials are carried out")
def _auth_unchecked(system: Any) -> None:
    put(system.access, "admits", lambda *_asked: True)


@collect("auth-status", "MS-auth-required-status", "a request without credentials is answered 400")
def _auth_status(system: Any) -> None:
    def done(really: Callable[..., Response], status: int, *more: Any) -> Response:
        return really(400 if status == 401 else status, *more)

    wrap(system.api, "done", done)


@collect("jwt-refused", "MS-jwt-bearer", "the jwt twins refuse the bearer token")
def _jwt_refused(system: Any) -> None:
    def admits(really: Callable[..., bool], *asked: Any) -> bool:
        return not asked[-1] and really(*asked)

    wrap(system.access, "admits", admits)

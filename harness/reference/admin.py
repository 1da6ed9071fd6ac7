"""Settings that can be changed while the platform runs: `PUT /_platform/<setting>`, for whoever runs it.

Mounted by the server beside the systems, whose documents know nothing of it. It needs no credentials, as the platform is
meant for one machine. A system that can be adjusted has `knobs`: setting name to a function that takes the new value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from harness.reference.web import BadRequestError, read_fields

ADMIN_PATH = "/_platform"
# Setting to the member that holds its value.
MEMBERS = {"callback": "url", "pstn": "address"}
_log = logging.getLogger("ringtrue.platform")

Knobs = Mapping[str, Callable[[str], None]]


def knobs_of(system: object) -> Knobs:
    """What can be adjusted in a system; nothing where it has no `knobs`. A knob raises ValueError for a bad value."""
    knobs: Knobs = getattr(system, "knobs", {})
    return knobs


class Admin:
    """ASGI application below `/_platform`: `<setting>` for all systems that have it, `<system>/<setting>` for one."""

    def __init__(self, systems: Iterable[tuple[str, Knobs]]) -> None:
        self._systems = dict(systems)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except (BadRequestError, ValueError) as error:
            response = _refused(400, str(error))
        _log.info("%s %s %d", request.method, request.url.path, response.status_code)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        segments = request.url.path[len(ADMIN_PATH) :].strip("/").split("/")
        setting, names = segments[-1], segments[:-1] or list(self._systems)
        knobs = [self._systems[name][setting] for name in names if setting in self._systems.get(name, {})]
        if not knobs or len(segments) > 2 or setting not in MEMBERS:
            return _refused(404, "No system that is served has this setting")
        if request.method != "PUT":
            return JSONResponse({"code": 405, "message": "Change a setting with PUT"}, 405, headers={"allow": "PUT"})
        value = (await read_fields(request)).get(MEMBERS[setting])
        if not isinstance(value, str):
            return _refused(400, f'The body is {{"{MEMBERS[setting]}": "…"}}')
        for turn in knobs:
            turn(value)
        return Response(status_code=204)


def _refused(status: int, words: str) -> Response:
    return JSONResponse({"code": status, "message": words}, status)

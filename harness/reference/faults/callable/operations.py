"""Callable faults by operation: one that is not served, answers an unlisted status, or has another shape.

Part of the fault catalogue; made from tables, as each operation can break in the same ways. The clause of an operation
bears its name in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from harness.reference.callable.api import ApiError, Asked
from harness.reference.faults.fault import Collector, wrap

collect = Collector("callable")

WITH_SHAPE = (
    *("authorize", "getOrganisation", "listAccounts", "getAccount", "getAddress", "listDdis"),
    *("listTrunks", "getTrunk", "listHooks", "getHook", "listDevices", "getDevice"),
)
WITHOUT_SHAPE = (
    *("updateAddress", "createTrunk", "updateTrunk", "createHook", "updateHook", "createDevice", "updateDevice"),
    "createVoiceCall",
)
OPERATIONS = WITH_SHAPE + WITHOUT_SHAPE

Run = Callable[[Asked], Awaitable[Any]]


def _around(operation: str, around: Callable[[Any, Run, Asked], Awaitable[Any]], system: Any) -> None:
    run = system.api.operations[operation]
    system.api.operations[operation] = partial(around, system.api, run)


async def _refuse(_api: Any, _run: Run, _asked: Asked) -> Any:
    raise ApiError(405, "This method is not served")


async def _relabel(_api: Any, run: Run, asked: Asked) -> Any:
    response = await run(asked)
    response.status_code = 207
    return response


async def _reshape(api: Any, run: Run, asked: Asked) -> Any:
    return api.shown("done", (await run(asked)).status_code)


@collect("content-type-text", "CA-listAccounts.body", "answers call their JSON text/plain")
def _content_type_text(system: Any) -> None:
    def plain(shown: Callable[..., Any], *given: Any) -> Any:
        response = shown(*given)
        response.headers["content-type"] = "text/plain; charset=utf-8"
        return response

    wrap(system.api, "shown", plain)


@collect("authorize-not-served", "CA-authorize", "authorize serves one request, and answers 405 to all others")
def _authorize_once(system: Any) -> None:
    # A platform that gives nobody a token cannot be told from one whose credentials are others.
    served: list[Asked] = []

    async def refuse(api: Any, run: Run, asked: Asked) -> Any:
        if served:
            return await _refuse(api, run, asked)
        served.append(asked)
        return await run(asked)

    _around("authorize", refuse, system)


for _operation in OPERATIONS:
    _name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in _operation)
    if _operation != "authorize":
        collect.add(
            f"{_name}-not-served",
            f"CA-{_operation}",
            f"{_operation} is answered 405",
            partial(_around, _operation, _refuse),
        )
    collect.add(
        f"{_name}-207",
        f"CA-{_operation}.status",
        f"{_operation} succeeds with 207",
        partial(_around, _operation, _relabel),
    )
    if _operation in WITH_SHAPE:
        collect.add(
            f"{_name}-shape",
            f"CA-{_operation}.body",
            f"{_operation} answers a JSON string where the page shows an object or a list",
            partial(_around, _operation, _reshape),
        )

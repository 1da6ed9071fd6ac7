"""VTX faults by operation: one that is not served, answers an unlisted status, has another shape, or refuses a value.

Part of the fault catalogue; made from tables, as each operation can break in the same ways. The clause of an operation
bears its name in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, wrap
from harness.reference.vtx.answers import ApiError

collect = Collector("vtx")

# The method of the API that serves each operation of the OpenAPI document, and whether its answer has a shape.
OPERATIONS = {
    "getServer": ("server_version", True),
    "listSubscriptions": ("list_subscriptions", True),
    "createSubscription": ("create_subscription", True),
    "extendSubscription": ("extend_subscription", False),
    "deleteSubscription": ("delete_subscription", False),
    "getPresence": ("user_presence", True),
}
VALUES = ("expires", "notificationUrl", "resourceType", "userIds")

Run = Callable[[Any, str], Awaitable[Any]]


def _not_served(method: str, vtx: Any) -> None:
    async def refuse(_run: Run, _request: Any, _item: str) -> Any:
        raise ApiError(405, "This method is not served")

    wrap(vtx.api, method, refuse)


def _status_207(method: str, vtx: Any) -> None:
    async def relabel(run: Run, request: Any, item: str) -> Any:
        response = await run(request, item)
        response.status_code = 207
        return response

    wrap(vtx.api, method, relabel)


def _other_shape(method: str, vtx: Any) -> None:
    async def reshape(run: Run, request: Any, item: str) -> Any:
        response = await run(request, item)
        return vtx.api.answers.ok(17, response.status_code)

    wrap(vtx.api, method, reshape)


for _operation, (_method, _shaped) in OPERATIONS.items():
    _name = _method.replace("_", "-")
    _clause = f"VX-{_operation}"
    collect.add(f"{_name}-not-served", _clause, f"{_operation} is answered 405", partial(_not_served, _method))
    collect.add(f"{_name}-207", f"{_clause}.status", f"{_operation} succeeds with 207", partial(_status_207, _method))
    if _shaped:
        words = f"{_operation} answers the number 17 where the documents show an object"
        collect.add(f"{_name}-shape", f"{_clause}.body", words, partial(_other_shape, _method))


def _media_type_text(method: str, vtx: Any) -> None:
    async def relabel(run: Run, request: Any, item: str) -> Any:
        response = await run(request, item)
        response.headers["content-type"] = "text/plain; charset=utf-8"
        return response

    wrap(vtx.api, method, relabel)


for _operation in ("getServer", "listSubscriptions", "createSubscription"):
    _method = OPERATIONS[_operation][0]
    _name = f"{_method.replace('_', '-')}-text"
    collect.add(
        _name,
        f"VX-{_operation}.media-type",
        f"{_operation} calls its JSON text/plain",
        partial(_media_type_text, _method),
    )


def _refuse_value(schema: str, member: str, vtx: Any) -> None:
    async def refuse(read: Callable[[Any], Awaitable[Any]], request: Any) -> Any:
        members = await read(request)
        if member in members and (request.method == "PATCH") == (schema == "SubscriptionExtension"):
            raise ApiError(400, f"{member} is not accepted")
        return members

    wrap(vtx.api.fields, "read", refuse)


for _schema, _members in (("NewSubscription", VALUES), ("SubscriptionExtension", ("expires",))):
    for _member in _members:
        _verb = "create" if _schema == "NewSubscription" else "extend"
        collect.add(
            f"{_verb}-refuses-{_member}",
            # Without a required member a request is refused as well, so that only the operation is seen to fail.
            f"VX-{_verb}Subscription",
            f"a request to {_verb} a subscription is refused because of its {_member}",
            partial(_refuse_value, _schema, _member),
        )

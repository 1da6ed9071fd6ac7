"""Apidaze faults by operation: one that is not served, answers an unlisted status, has another shape, or refuses a value.

Part of the fault catalogue; made from tables, as each operation can break in the same ways. The clause of an operation
bears its name in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from harness.reference.apidaze.answers import ApiError
from harness.reference.faults.fault import Collector, wrap

collect = Collector("apidaze")

# The method of the API that serves each operation of the OpenAPI document.
OPERATIONS = {
    "listSipAccounts": "list_accounts",
    "createSipAccount": "create_account",
    "getSipAccount": "read_account",
    "updateSipAccount": "update_account",
    "deleteSipAccount": "delete_account",
    "getSipAccountStatus": "account_status",
    "listExternalScripts": "list_scripts",
    "createExternalScript": "create_script",
    "getExternalScript": "read_script",
    "updateExternalScript": "update_script",
    "deleteExternalScript": "delete_script",
    "testExternalScript": "try_script",
}
_WITHOUT_SHAPE = ("deleteSipAccount", "deleteExternalScript", "testExternalScript")

Run = Callable[[Any, str], Awaitable[Any]]


def _not_served(method: str, apidaze: Any) -> None:
    async def refuse(_run: Run, _request: Any, _item: str) -> Any:
        raise ApiError(405, "This method is not served")

    wrap(apidaze.api, method, refuse)


def _status_207(method: str, apidaze: Any) -> None:
    async def relabel(run: Run, request: Any, item: str) -> Any:
        response = await run(request, item)
        response.status_code = 207 if response.status_code < 300 else response.status_code
        return response

    wrap(apidaze.api, method, relabel)


def _other_shape(method: str, apidaze: Any) -> None:
    async def reshape(run: Run, request: Any, item: str) -> Any:
        response = await run(request, item)
        return apidaze.api.answers.ok("done", response.status_code) if response.status_code < 300 else response

    wrap(apidaze.api, method, reshape)


for _operation, _method in OPERATIONS.items():
    _name = _method.replace("_", "-")
    collect.add(
        f"{_name}-not-served", f"AZ-{_operation}", f"{_operation} is answered 405", partial(_not_served, _method)
    )
    collect.add(
        f"{_name}-207", f"AZ-{_operation}.status", f"{_operation} succeeds with 207", partial(_status_207, _method)
    )
    if _operation not in _WITHOUT_SHAPE:
        collect.add(
            f"{_name}-shape",
            f"AZ-{_operation}.body",
            f"{_operation} answers a JSON string where the documents show an object or a list",
            partial(_other_shape, _method),
        )


_ACCOUNT_VALUES = ("internal_caller_id_number", "external_caller_id_number", "name", "mwi_account")
_VALUES = {
    "create_account": ("NewSipAccount", ("username", *_ACCOUNT_VALUES)),
    "update_account": ("SipAccountChange", _ACCOUNT_VALUES),
    "create_script": ("NewExternalScript", ("url", "name")),
}


def _refuse_value(method: str, field: str, apidaze: Any) -> None:
    async def refuse(read: Run, request: Any, operation: str) -> Any:
        fields = await read(request, operation)
        if operation == method and field in fields:
            raise ApiError(400, f"{field} is not accepted")
        return fields

    wrap(apidaze.api, "fields_of", refuse)


def _refused_clause(method: str, schema: str, field: str) -> str:
    """Refusing the one value that a creation must have is the same as not creating at all."""
    needed = {
        ("create_account", "username"): "AZ-createSipAccount",
        ("create_script", "url"): "AZ-createExternalScript",
    }
    return needed.get((method, field), f"AZ-{schema}.{field}")


for _method, (_schema, _fields) in _VALUES.items():
    for _field in _fields:
        collect.add(
            f"{_method}-refuses-{_field}".replace("_", "-"),
            _refused_clause(_method, _schema, _field),
            f"{_method.replace('_', ' ')} is refused when it gives {_field}",
            partial(_refuse_value, _method, _field),
        )

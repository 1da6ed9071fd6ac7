"""Callable faults by member: one member of an answer has another type or form, or one value of a request is refused.

Part of the fault catalogue; made from tables, as each member can break in the same ways. The clause of a member bears
its name in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from harness.reference.callable.api import ApiError, Asked
from harness.reference.faults.fault import Collector, put, wrap

collect = Collector("callable")

# Member to a value of a type that was never sampled; members are paths joined by points.
_TEXTS = 17
ORGANISATION = {"id": _TEXTS, "name": _TEXTS}
ACCOUNT_SUMMARY = {"id": _TEXTS, "name": _TEXTS}
ACCOUNT = {"id": _TEXTS, "name": _TEXTS, "mbn": _TEXTS, "domain": _TEXTS}
ADDRESS = dict.fromkeys(("line1", "line2", "level1", "level2", "postalCode", "country"), _TEXTS)
DDI = {"id": _TEXTS, "name": _TEXTS}
_TRUNK_TEXTS = ("id", "ip", "vendor", "callerFormat", "calledFormat", "description", "zone", "countryCode")
TRUNK: Mapping[str, object] = dict.fromkeys(_TRUNK_TEXTS, _TEXTS) | {"port": "5060"}
HOOK: Mapping[str, object] = dict.fromkeys(("id", "app", "url", "authType", "method"), _TEXTS) | {"priority": "10"}
_FLOW = ("onComplete", "onFail", "onNoAnswer", "onBusy")
DEVICE: Mapping[str, object] = {
    "id": _TEXTS,
    "type": _TEXTS,
    "name": _TEXTS,
    "extension": _TEXTS,
    "sipGateway": "none",
    "sipGateway.ringTime": "20",
    "sipGateway.maxCallTime": "3600",
    "sipGateway.record": "no",
    "sipGateway.trunks": "all",
    "sipGateway.present": _TEXTS,
    "sipGateway.countryCode": _TEXTS,
    **{f"sipGateway.{name}": _TEXTS for name in _FLOW},
    "startRoute": "none",
    "startRoute.ddis": "all",
    "startRoute.connectTo": _TEXTS,
}
TOKENS: Mapping[str, object] = {"refresh_token": _TEXTS, "expires_in": "3600", "refresh_expires_in": "36000"}

# Member, keyword of its schema, and a value of the right type that breaks the keyword.
FORMS: tuple[tuple[str, str, str, object], ...] = (
    ("Tokens", "expires_in", "exclusiveMinimum", 0),
    ("Tokens", "refresh_expires_in", "exclusiveMinimum", 0),
    ("Account", "mbn", "pattern", "call us"),
    ("Ddi", "name", "pattern", "44 1632"),
    ("Trunk", "port", "minimum", 0),
    ("Trunk", "port", "maximum", 70_000),
    ("Trunk", "countryCode", "pattern", "gb"),
    ("Hook", "app", "enum", "flow.other"),
    ("Hook", "url", "pattern", "ftp://app.example/"),
    ("Device", "sipGateway.ringTime", "minimum", -1),
    ("Device", "sipGateway.maxCallTime", "minimum", -1),
    ("Device", "sipGateway.countryCode", "pattern", "gb"),
)


def changed(members: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with the member at `path` replaced; a path that leads through nothing changes nothing."""
    name, point, rest = path.partition(".")
    if not point:
        return {**members, name: value}
    inner = members.get(name)
    return {**members, name: changed(inner, rest, value)} if isinstance(inner, Mapping) else dict(members)


Change = Callable[[dict[str, Any]], dict[str, Any]]


def _organisation(change: Change, system: Any) -> None:
    put(system.api, "organisation", change(system.api.organisation))


def _view_of(name: str) -> Callable[[Change, Any], None]:
    def apply(change: Change, system: Any) -> None:
        wrap(system.api, name, lambda show, item: change(show(item)))

    return apply


def _record(kind: str) -> Callable[[Change, Any], None]:
    def apply(change: Change, system: Any) -> None:
        def view(show: Callable[[str, Any], dict[str, Any]], shown: str, record: Any) -> dict[str, Any]:
            return change(show(shown, record)) if shown == kind else show(shown, record)

        wrap(system.api, "view", view)

    return apply


def _tokens(change: Change, system: Any) -> None:
    wrap(system.access, "grant", lambda grant, user: change(grant(user)))


# How what a schema describes is shown.
SHOWN: Mapping[str, Callable[[Change, Any], None]] = {
    "Organisation": _organisation,
    "AccountSummary": _view_of("summary_view"),
    "Account": _view_of("account_view"),
    "Address": _view_of("address_view"),
    "Ddi": _view_of("ddi_view"),
    "Trunk": _record("trunk"),
    "Hook": _record("hook"),
    "Device": _record("device"),
    "Tokens": _tokens,
}
_TYPES: Mapping[str, Mapping[str, object]] = {
    "Organisation": ORGANISATION,
    "AccountSummary": ACCOUNT_SUMMARY,
    "Account": ACCOUNT,
    "Address": ADDRESS,
    "Ddi": DDI,
    "Trunk": TRUNK,
    "Hook": HOOK,
    "Device": DEVICE,
    "Tokens": TOKENS,
}


def named(schema: str, path: str, ending: str) -> str:
    return f"{schema}-{path}-{ending}".replace(".", "-").replace("_", "-").lower()


for _schema, _members in _TYPES.items():
    for _path, _value in _members.items():
        collect.add(
            named(_schema, _path, "type"),
            f"CA-{_schema}.{_path}",
            f"{_path} of {_schema} is shown as {_value!r}",
            partial(SHOWN[_schema], partial(changed, path=_path, value=_value)),
        )
for _schema, _path, _keyword, _value in FORMS:
    collect.add(
        named(_schema, _path, _keyword),
        f"CA-{_schema}.{_path}:{_keyword}",
        f"{_path} of {_schema} is shown as {_value!r}",
        partial(SHOWN[_schema], partial(changed, path=_path, value=_value)),
    )
collect.add(
    "tokens-access-token-missing",
    "CA-Tokens.access_token",
    "the token answer has no access_token",
    partial(
        SHOWN["Tokens"], lambda members: {name: value for name, value in members.items() if name != "access_token"}
    ),
)

_GATEWAY_SETTINGS = ("ringTime", "maxCallTime", "record", "trunks", "present", "countryCode", *_FLOW)
# Schema of a request, the operations that take it, and its members. A device has one of two schemas, by its settings.
REFUSED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("AddressChange", "Address", tuple(ADDRESS)),
    ("TrunkValues", "Trunk", (*_TRUNK_TEXTS, "port")),
    ("HookValues", "Hook", tuple(HOOK)),
    (
        "GatewayValues",
        "Device",
        ("id", "type", "name", "extension", "sipGateway", *(f"sipGateway.{name}" for name in _GATEWAY_SETTINGS)),
    ),
    (
        "RouteStartValues",
        "Device",
        ("id", "type", "name", "extension", "startRoute", "startRoute.ddis", "startRoute.connectTo"),
    ),
    ("VoiceCall", "VoiceCall", ("callerId", "tag", "tag.data", "target", "verbs")),
    ("PhoneNumberTarget", "VoiceCall", ("phoneNumber", "phoneNumber.number")),
    ("ExtensionTarget", "VoiceCall", ("extension", "extension.extension", "extension.overrideTo")),
    ("SipUriTarget", "VoiceCall", ("sipUri", "sipUri.uri")),
    ("DeviceTarget", "VoiceCall", ("device", "device.id")),
    ("SayVerb", "VoiceCall", ("say", "say.text")),
    ("DialVerb", "VoiceCall", ("dial", "dial.callerId", "dial.timeout", "dial.timeLimit", "dial.targets")),
    ("HangupVerb", "VoiceCall", ("hangup", "hangup.reason")),
)
# What a platform does not accept it does not ask for either; this stands for it where it cannot do without.
_INSTEAD: Mapping[tuple[str, str], object] = {
    ("TrunkValues", "ip"): "192.0.2.1",
    ("HookValues", "app"): "flow.generic",
    ("HookValues", "url"): "http://127.0.0.1:9/",
    ("GatewayValues", "type"): "SIP_GATEWAY",
    ("RouteStartValues", "type"): "ROUTE_START",
    ("VoiceCall", "target"): {"sipUri": {"uri": "sip:nobody@127.0.0.1:9"}},
    ("VoiceCall", "verbs"): [],
}
_GROUPS = {"GatewayValues": "sipGateway", "RouteStartValues": "startRoute"}


def _given(schema: str, body: Mapping[str, Any], path: str) -> bool:
    """Whether a request gives the value at `path` of this schema."""
    if schema in _GROUPS:
        return _GROUPS[schema] in body and _has(body, path)
    if schema.endswith("Target"):
        return _has(body.get("target"), path)
    if schema.endswith("Verb"):
        verbs = body.get("verbs")
        return isinstance(verbs, list) and any(_has(verb, path) for verb in verbs)
    return _has(body, path)


def _has(value: object, path: str) -> bool:
    name, point, rest = path.partition(".")
    if not isinstance(value, Mapping) or name not in value:
        return False
    return _has(value[name], rest) if point else True


def _refuse(schema: str, operation: str, path: str, system: Any) -> None:
    async def values_of(read: Callable[[Asked], Any], asked: Asked) -> Any:
        body = await read(asked)
        if not asked.operation.endswith(operation):
            return body
        if _given(schema, body, path):
            raise ApiError(400, f"{path} is not accepted")
        return {path: _INSTEAD[schema, path], **body} if (schema, path) in _INSTEAD else body

    wrap(system.api, "values_of", values_of)


for _schema, _operation, _paths in REFUSED:
    for _path in _paths:
        collect.add(
            named(_schema, _path, "refused"),
            f"CA-{_schema}.{_path}",
            f"a request that gives {_path} of {_schema} is refused",
            partial(_refuse, _schema, _operation, _path),
        )

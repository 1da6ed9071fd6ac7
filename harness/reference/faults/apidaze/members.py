"""Apidaze faults by member: one member of an account, a script or the token answer has a type that was never sampled.

Part of the fault catalogue; made from tables, as each member can break in the same ways. The clause of a member bears
its name in the OpenAPI document.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, wrap

collect = Collector("apidaze")

ACCOUNT_MEMBERS = (
    "id",
    "name",
    "sip",
    "sip.username",
    "callerid",
    "callerid.internal_name",
    "callerid.internal_number",
    "callerid.external_name",
    "callerid.external_number",
    "voicemail",
    "voicemail.mwi_account",
)
SCRIPT_MEMBERS = ("name", "created_at", "updated_at")
TOKEN_MEMBERS = (
    "token_type",
    "issued_at",
    "client_id",
    "application_name",
    "developer_email",
    "organization_name",
    "api_product_list",
    "api_product_list_json",
    "scope",
    "refresh_token_expires_in",
    "refresh_count",
    "status",
)
_TOKEN_FORMS = {"token_type:enum": "Mac", "expires_in:pattern": "one hour", "issued_at:pattern": "yesterday"}


def changed(members: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with the member at `path` (names joined by points) replaced."""
    name, point, rest = path.partition(".")
    return members | {name: changed(members[name], rest, value) if point else value}


def without(members: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != name}


def _view(view: str, path: str, apidaze: Any) -> None:
    wrap(apidaze.api, view, lambda show, item: changed(show(item), path, 17))


def _token(member: str, value: object, apidaze: Any) -> None:
    wrap(apidaze.token_endpoint, "members", lambda show, token: show(token) | {member: value})


def _token_without(member: str, apidaze: Any) -> None:
    wrap(apidaze.token_endpoint, "members", lambda show, token: without(show(token), member))


def _named(kind: str, path: str, ending: str) -> str:
    return f"{kind}-{path}-{ending}".replace(".", "-").replace("_", "-")


for _schema, _kind, _members in (
    ("SipAccount", "account", ACCOUNT_MEMBERS),
    ("ExternalScript", "script", SCRIPT_MEMBERS),
):
    for _path in _members:
        collect.add(
            _named(_kind, _path, "type"),
            f"AZ-{_schema}.{_path}",
            f"{_path} of {'an' if _kind == 'account' else 'a'} {_kind} is shown as the number 17",
            partial(_view, f"{_kind}_view", _path),
        )

for _member in TOKEN_MEMBERS:
    collect.add(
        _named("token", _member, "type"),
        f"AZ-Token.{_member}",
        f"{_member} of the token answer is the number 17",
        partial(_token, _member, 17),
    )
for _member in (*TOKEN_MEMBERS, "expires_in"):
    collect.add(
        _named("token", _member, "missing"),
        f"AZ-Token.{_member}:required",
        f"the token answer has no {_member}",
        partial(_token_without, _member),
    )
for _keyword, _form in _TOKEN_FORMS.items():
    collect.add(
        _named("token", _keyword.partition(":")[0], "form"),
        f"AZ-Token.{_keyword}",
        f"{_keyword.partition(':')[0]} of the token answer is '{_form}'",
        partial(_token, _keyword.partition(":")[0], _form),
    )

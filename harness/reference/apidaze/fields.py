"""Takes the values of an account or a script out of a request's fields, and refuses what cannot be one.

Called by the API before it changes anything. Pure; unknown fields are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from harness.reference.apidaze.model import AccountOptions, ScriptOptions
from harness.reference.fetch import MAX_URL, url_problem
from harness.reference.web import BadRequestError

MAX_TEXT = 255

_ACCOUNT_OPTIONS = {
    "internal_caller_id_number": "internal_number",
    "external_caller_id_number": "external_number",
    "name": "name",
    "mwi_account": "mwi_account",
}
_SCRIPT_OPTIONS = {"name": "name"}


class Fields:
    """Reads required and optional values. Every method raises BadRequestError with words for the caller."""

    def username(self, fields: Mapping[str, object]) -> str:
        """`username`: required, not blank (API store, Create a new SIP account)."""
        username = _text(fields, "username")
        if username is None or not username.strip():
            raise BadRequestError("username is required")
        if not username.isprintable():
            raise BadRequestError("username holds characters that cannot be printed")
        return username

    def url(self, fields: Mapping[str, object]) -> str:
        """`url`: required, an absolute http or https URL (API store, Create new external script)."""
        url = _text(fields, "url", limit=MAX_URL)
        if not url:
            raise BadRequestError("url is required")
        problem = url_problem(url)
        if problem:
            raise BadRequestError(f"url {problem}")
        return url

    def script_id(self, fields: Mapping[str, object]) -> str | None:
        """`id` of a script test, where there is one."""
        return _text(fields, "id")

    def account_options(self, fields: Mapping[str, object]) -> AccountOptions:
        """The optional values of an account that are given, by the name of the attribute that holds them."""
        return cast(AccountOptions, _options(fields, _ACCOUNT_OPTIONS))

    def script_options(self, fields: Mapping[str, object]) -> ScriptOptions:
        """The optional values of a script that are given."""
        return cast(ScriptOptions, _options(fields, _SCRIPT_OPTIONS))


def _options(fields: Mapping[str, object], names: Mapping[str, str]) -> dict[str, str]:
    given = {attribute: _text(fields, name) for name, attribute in names.items()}
    return {attribute: value for attribute, value in given.items() if value is not None}


def _text(fields: Mapping[str, object], name: str, limit: int = MAX_TEXT) -> str | None:
    if name not in fields:
        return None
    value = fields[name]
    if not isinstance(value, str):
        raise BadRequestError(f"{name} must be one string")
    if len(value) > limit:
        raise BadRequestError(f"{name} is longer than {limit} characters")
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise BadRequestError(f"{name} holds half of a surrogate pair")
    return value

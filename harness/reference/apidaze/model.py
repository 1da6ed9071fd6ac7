"""What Apidaze keeps: SIP accounts and external scripts, and the JSON in which the API shows them.

Used by the store, the API and the SIP side of the reference platform. Values only; nothing here remembers anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

Json = dict[str, object]


@dataclass(frozen=True)
class Account:
    """One SIP account; the password is the platform's choice and stays for the life of the account."""

    id: str
    username: str
    password: str
    created_at: datetime
    updated_at: datetime
    name: str = ""
    internal_number: str = ""
    external_number: str = ""
    internal_name: str = ""
    external_name: str = ""
    mwi_account: str = ""


@dataclass(frozen=True)
class Script:
    """One external script: the URL from which the platform fetches what a call shall do."""

    id: str
    url: str
    created_at: datetime
    updated_at: datetime
    name: str = ""


class AccountOptions(TypedDict, total=False):
    """The values of an account that a request may give or leave out."""

    name: str
    internal_number: str
    external_number: str
    mwi_account: str


class ScriptOptions(TypedDict, total=False):
    """The value of a script that a request may give or leave out."""

    name: str


def timestamp(moment: datetime) -> str:
    """RFC 3339, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def account_json(account: Account) -> Json:
    """A list item as sampled (API store, List SIP accounts)."""
    return {
        "id": account.id,
        "name": account.name,
        "sip": {"username": account.username, "password": account.password},
        "callerid": {
            "internal_name": account.internal_name,
            "internal_number": account.internal_number,
            "external_name": account.external_name,
            "external_number": account.external_number,
        },
        "voicemail": {"mwi_account": account.mwi_account},
        "created_at": timestamp(account.created_at),
        "updated_at": timestamp(account.updated_at),
    }


def script_json(script: Script) -> Json:
    """A list item as sampled (API store, List external scripts)."""
    return {
        "id": script.id,
        "name": script.name,
        "url": script.url,
        "created_at": timestamp(script.created_at),
        "updated_at": timestamp(script.updated_at),
    }

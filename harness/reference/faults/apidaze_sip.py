"""Apidaze faults on the SIP side: registration, and which script a call runs.

Part of the fault catalogue. Each function patches an Apidaze system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap

collect = Collector("apidaze")


@collect("status-wrong-domain", "AZ-sip-register", "the status tells a domain at which nobody can register")
def _wrong_domain(apidaze: Any) -> None:
    put(apidaze.api, "domain", "elsewhere.apidaze.example")


@collect("deleted-still-registers", "AZ-sip-deleted-account", "a deleted account can still register and call")
def _deleted_registers(apidaze: Any) -> None:
    passwords: dict[str, str] = {}

    def delete(really_delete: Callable[[Any], None], account: Any) -> None:
        passwords[account.username] = account.password
        really_delete(account)

    wrap(apidaze.store, "delete_account", delete)
    wrap(apidaze.store, "password_of", lambda find, username: find(username) or passwords.get(username))


@collect("stale-script", "AZ-call-current-script", "a call runs the script at the URL with which it was first created")
def _stale_script(apidaze: Any) -> None:
    first: dict[str, str] = {}

    def create(really_create: Callable[..., Any], url: str, values: Any) -> Any:
        script = really_create(url, values)
        first[script.id] = url
        return script

    def current(find: Callable[[], Any]) -> Any:
        script = find()
        return script and replace(script, url=first[script.id])

    wrap(apidaze.store, "create_script", create)
    wrap(apidaze.store, "current_script", current)

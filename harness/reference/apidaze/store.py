"""Remembers the SIP accounts and external scripts of the one Apidaze organisation that the platform serves.

Called by the API and by the SIP side. It keeps everything in memory, within limits, and knows neither HTTP nor SIP.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harness.reference.apidaze.model import Account, AccountOptions, Script, ScriptOptions

MAX_ACCOUNTS = 10_000
MAX_SCRIPTS = 10_000


class StoreError(Exception):
    """The store will not do this; the text says why."""


class Store:
    """Accounts and scripts by id, in the order of their creation."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.scripts: dict[str, Script] = {}
        self._ids_by_username: dict[str, str] = {}
        self._last = datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        """The time, in whole milliseconds, later at each call: an update is always seen to come after what it changes."""
        moment = datetime.now(UTC)
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        self._last = max(moment, self._last + timedelta(milliseconds=1))
        return self._last

    def list_accounts(self) -> list[Account]:
        return list(self.accounts.values())

    def account(self, account_id: str) -> Account | None:
        return self.accounts.get(account_id)

    def create_account(self, username: str, values: AccountOptions) -> Account:
        """Keep a new account with a password of the platform's choice. Raises StoreError: name in use, no room."""
        if username in self._ids_by_username:
            raise StoreError("username is in use by another SIP account")
        if len(self.accounts) >= MAX_ACCOUNTS:
            raise StoreError(f"there are {MAX_ACCOUNTS} SIP accounts, and no room for more")
        now = self.now()
        account = Account(
            id=str(uuid.uuid4()),
            username=username,
            password=secrets.token_urlsafe(12),
            created_at=now,
            updated_at=now,
            **values,
        )
        self.accounts[account.id] = account
        self._ids_by_username[username] = account.id
        return account

    def update_account(self, account: Account, values: AccountOptions) -> Account:
        """Change what is given and keep the rest."""
        changed = replace(account, **values, updated_at=self.now())
        self.keep_account(changed)
        return changed

    def keep_account(self, account: Account) -> None:
        self.accounts[account.id] = account

    def delete_account(self, account: Account) -> None:
        del self.accounts[account.id]
        del self._ids_by_username[account.username]

    def password_of(self, username: str) -> str | None:
        """The password with which this SIP user may register and call, or None for no such user."""
        account_id = self._ids_by_username.get(username)
        return self.accounts[account_id].password if account_id is not None else None

    def list_scripts(self) -> list[Script]:
        return list(self.scripts.values())

    def script(self, script_id: str) -> Script | None:
        return self.scripts.get(script_id)

    def create_script(self, url: str, values: ScriptOptions) -> Script:
        """Keep a new script. Raises StoreError when there is no room."""
        if len(self.scripts) >= MAX_SCRIPTS:
            raise StoreError(f"there are {MAX_SCRIPTS} external scripts, and no room for more")
        now = self.now()
        script = Script(id=str(uuid.uuid4()), url=url, created_at=now, updated_at=now, **values)
        self.scripts[script.id] = script
        return script

    def update_script(self, script: Script, url: str, values: ScriptOptions) -> Script:
        """Change the URL, and the name where it is given."""
        changed = replace(script, url=url, **values, updated_at=self.now())
        self.keep_script(changed)
        return changed

    def keep_script(self, script: Script) -> None:
        self.scripts[script.id] = script

    def delete_script(self, script: Script) -> None:
        del self.scripts[script.id]

    def current_script(self) -> Script | None:
        """The script that calls run: the one created or updated last."""
        return max(self.scripts.values(), key=lambda script: script.updated_at, default=None)

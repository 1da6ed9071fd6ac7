"""Apidaze faults in what is kept and shown: accounts, scripts, ids, the script test.

Part of the fault catalogue. Each function patches an Apidaze system that is made but not started.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from harness.reference.apidaze.answers import ApiError
from harness.reference.faults.fault import Collector, put, wrap

collect = Collector("apidaze")

# Long enough for requests that are sent side by side to meet.
_BUSY_SECONDS = 0.05
_Run = Callable[[Any, str], Awaitable[Any]]


@collect(
    "unknown-id-200", "AZ-account-unknown-not-served", "an unknown id is answered 200 with an empty object, not 404"
)
def _unknown_id(apidaze: Any) -> None:
    put(apidaze.api, "unknown_item", lambda _kind: apidaze.api.answers.ok({}))


@collect("unknown-id-500", "AZ-refusals-are-4xx", "an unknown id is answered 500")
def _unknown_id_500(apidaze: Any) -> None:
    def fail(_kind: str) -> None:
        raise RuntimeError("seeded fault: an unknown id ends in an error")

    put(apidaze.api, "unknown_item", fail)


@collect("update-lost", "AZ-account-update-shown", "an account update is answered as done, but not kept")
def _update_lost(apidaze: Any) -> None:
    put(apidaze.store, "keep_account", lambda _account: None)


@collect("script-update-lost", "AZ-script-update-shown", "a script update is answered as done, but not kept")
def _script_update_lost(apidaze: Any) -> None:
    put(apidaze.store, "keep_script", lambda _script: None)


@collect("update-clears-others", "AZ-account-update-keeps-others", "an account update empties the values not given")
def _update_clears(apidaze: Any) -> None:
    empty = {"name": "", "internal_number": "", "external_number": "", "mwi_account": ""}
    wrap(apidaze.store, "update_account", lambda update, account, values: update(account, empty | values))


@collect("update-changes-password", "AZ-account-update-keeps-others", "an account update makes a new password")
def _update_password(apidaze: Any) -> None:
    wrap(apidaze.store, "update_account", lambda update, account, values: update(_renewed(account), values))


@collect("delete-ignored", "AZ-account-deleted-gone", "a deletion of an account is answered as done and forgotten")
def _delete_ignored(apidaze: Any) -> None:
    put(apidaze.store, "delete_account", lambda _account: None)


@collect("script-delete-ignored", "AZ-script-deleted-gone", "a deletion of a script is answered as done and forgotten")
def _script_delete_ignored(apidaze: Any) -> None:
    put(apidaze.store, "delete_script", lambda _script: None)


@collect("delete-takes-all", "AZ-account-delete-only-one", "deleting one account deletes all accounts")
def _delete_all(apidaze: Any) -> None:
    def delete_each(delete: Callable[[Any], None], _account: object) -> None:
        for account in apidaze.store.list_accounts():
            delete(account)

    wrap(apidaze.store, "delete_account", delete_each)


@collect(
    "create-not-listed", "AZ-account-created-listed", "a created account can be read by its id, but is not in the list"
)
def _create_not_listed(apidaze: Any) -> None:
    put(apidaze.store, "list_accounts", list)


@collect("script-create-not-listed", "AZ-script-created-listed", "a created script can be read, but is not in the list")
def _script_not_listed(apidaze: Any) -> None:
    put(apidaze.store, "list_scripts", list)


@collect("list-newest-only", "AZ-account-list-complete", "the list of accounts holds only the one created last")
def _newest_account(apidaze: Any) -> None:
    wrap(apidaze.store, "list_accounts", lambda listed: listed()[-1:])


@collect("script-list-newest-only", "AZ-script-list-complete", "the list of scripts holds only the one created last")
def _newest_script(apidaze: Any) -> None:
    wrap(apidaze.store, "list_scripts", lambda listed: listed()[-1:])


@collect("username-optional", "AZ-account-username-required", "an account without username is created all the same")
def _username_optional(apidaze: Any) -> None:
    wrap(apidaze.api.fields, "username", lambda read, fields: read({"username": f"u{secrets.token_hex(4)}"} | fields))


@collect("url-optional", "AZ-script-url-required", "a script without URL is created all the same")
def _url_optional(apidaze: Any) -> None:
    wrap(apidaze.api.fields, "url", lambda read, fields: read({"url": "http://script.example/"} | fields))


@collect("options-required", "AZ-account-optional-values", "an account without a name is refused")
def _options_required(apidaze: Any) -> None:
    wrap(apidaze.api.fields, "username", lambda read, fields: read(fields if "name" in fields else {}))


@collect("member-missing-updated-at", "AZ-SipAccount.updated_at", "accounts are shown without updated_at")
def _no_updated_at(apidaze: Any) -> None:
    wrap(apidaze.api, "account_view", lambda view, account: _without(view(account), "updated_at"))


@collect("member-missing-password", "AZ-SipAccount.sip.password", "accounts are shown without their password")
def _no_password(apidaze: Any) -> None:
    wrap(
        apidaze.api,
        "account_view",
        lambda view, account: (shown := view(account)) | {"sip": _without(shown["sip"], "password")},
    )


@collect("script-member-missing-url", "AZ-ExternalScript.url", "scripts are shown without their URL")
def _no_url(apidaze: Any) -> None:
    wrap(apidaze.api, "script_view", lambda view, script: _without(view(script), "url"))


@collect("created-at-number", "AZ-SipAccount.created_at", "created_at of an account is a number, not a string")
def _created_at_number(apidaze: Any) -> None:
    wrap(apidaze.api, "account_view", lambda view, account: view(account) | {"created_at": _epoch(account.created_at)})


@collect("script-id-number", "AZ-ExternalScript.id", "the id of a script is shown as a number")
def _script_id_number(apidaze: Any) -> None:
    wrap(apidaze.api, "script_view", lambda view, script: view(script) | {"id": _epoch(script.created_at)})


@collect(
    "caller-numbers-swapped", "AZ-account-values-shown", "internal and external caller id number are shown swapped"
)
def _numbers_swapped(apidaze: Any) -> None:
    wrap(
        apidaze.api,
        "account_view",
        lambda view, account: view(
            replace(account, internal_number=account.external_number, external_number=account.internal_number)
        ),
    )


@collect("shown-id-leads-nowhere", "AZ-getSipAccount", "the id that an account is shown with is not the one it has")
def _shown_id(apidaze: Any) -> None:
    wrap(apidaze.api, "account_view", lambda view, account: view(account) | {"id": f"{account.id}0"})


@collect("password-changes-on-read", "AZ-account-read-is-listed", "each reading of one account gives it a new password")
def _password_changes(apidaze: Any) -> None:
    def renew(account_of: Callable[[str], Any], account_id: str) -> Any:
        account = account_of(account_id)
        if account is not None:
            account = _renewed(account)
            apidaze.store.keep_account(account)
        return account

    wrap(apidaze.store, "account", renew)


@collect("status-no-domain", "AZ-account-status-domain", "the status of an account does not tell the domain")
def _status_no_domain(apidaze: Any) -> None:
    wrap(apidaze.api, "status_view", lambda view, account: _without(view(account), "domain"))


@collect("script-test-drops-query", "AZ-script-test-exact-url", "the script test fetches the URL without its query")
def _test_drops_query(apidaze: Any) -> None:
    put(apidaze.script_test, "url_to_fetch", lambda url: urlunsplit(urlsplit(url)._replace(query="")))


@collect("script-test-not-fetched", "AZ-script-test-fetches", "the script test answers 200 without fetching anything")
def _test_not_fetched(apidaze: Any) -> None:
    async def pretend(url: str) -> dict[str, object]:
        return {"url": url, "status": 200, "valid": True}

    put(apidaze.script_test, "run", pretend)


@collect("script-test-cached", "AZ-script-test-each-time", "a second test of the same URL repeats the first report")
def _test_cached(apidaze: Any) -> None:
    reports: dict[str, Any] = {}

    async def remember(run: Callable[[str], Any], url: str) -> Any:
        if url not in reports:
            reports[url] = await run(url)
        return reports[url]

    wrap(apidaze.script_test, "run", remember)


def _without(shown: Any, member: str) -> dict[str, object]:
    return {name: value for name, value in shown.items() if name != member}


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _renewed(account: Any) -> Any:
    return replace(account, password=secrets.token_urlsafe(12))


@collect("deleted-400", "AZ-account-deleted-404", "reading a deleted account is answered 400")
def _deleted_400(apidaze: Any) -> None:
    _remember_deleted(apidaze, "account")


@collect("script-deleted-400", "AZ-script-deleted-404", "reading a deleted script is answered 400")
def _script_deleted_400(apidaze: Any) -> None:
    _remember_deleted(apidaze, "script")


@collect("script-unknown-200", "AZ-script-unknown-not-served", "an unknown id of a script is answered 200, not 404")
def _script_unknown_200(apidaze: Any) -> None:
    def answer(refuse: Callable[[str], Any], kind: str) -> Any:
        return apidaze.api.answers.ok({}) if kind == "external script" else refuse(kind)

    wrap(apidaze.api, "unknown_item", answer)


def _unknown_400(kind: str, apidaze: Any) -> None:
    def answer(refuse: Callable[[str], Any], asked: str) -> Any:
        if asked == kind:
            raise ApiError(400, f"There is no such {kind}")
        return refuse(asked)

    wrap(apidaze.api, "unknown_item", answer)


collect.add(
    "script-unknown-400",
    "AZ-script-unknown-404",
    "an unknown id of a script is answered 400",
    partial(_unknown_400, "external script"),
)
collect.add(
    "unknown-id-400",
    "AZ-account-unknown-404",
    "an unknown id of an account is answered 400",
    partial(_unknown_400, "SIP account"),
)


@collect("no-username-412", "AZ-account-username-required-status", "a creation without username is answered 412")
def _no_username_412(apidaze: Any) -> None:
    _refuse_with(apidaze, "username", 412)


@collect("no-url-412", "AZ-script-url-required-status", "a creation without URL is answered 412")
def _no_url_412(apidaze: Any) -> None:
    _refuse_with(apidaze, "url", 412)


@collect("username-upper-case", "AZ-account-username-shown", "the username is shown in upper case")
def _username_upper(apidaze: Any) -> None:
    wrap(
        apidaze.api,
        "account_view",
        lambda view, account: view(replace(account, username=account.username.upper())),
    )


@collect("account-options-hidden", "AZ-account-members-shown", "accounts are shown without callerid and voicemail")
def _options_hidden(apidaze: Any) -> None:
    wrap(apidaze.api, "account_view", lambda view, account: _without(_without(view(account), "callerid"), "voicemail"))


@collect("script-name-hidden", "AZ-script-members-shown", "scripts are shown without their name")
def _name_hidden(apidaze: Any) -> None:
    wrap(apidaze.api, "script_view", lambda view, script: _without(view(script), "name"))


@collect("script-name-required", "AZ-script-optional-name", "a script without a name is refused")
def _script_name_required(apidaze: Any) -> None:
    wrap(apidaze.api.fields, "url", lambda read, fields: read(fields if "name" in fields else {}))


@collect("script-read-renamed", "AZ-script-read-is-listed", "reading one script shows another name than the list")
def _read_renamed(apidaze: Any) -> None:
    wrap(
        apidaze.store,
        "script",
        lambda find, script_id: (script := find(script_id)) and replace(script, name="renamed"),
    )


@collect(
    "list-accounts-one-at-a-time", "AZ-listSipAccounts", "a second listing of accounts at the same time is answered 503"
)
def _one_at_a_time(apidaze: Any) -> None:
    busy = False

    async def serve(run: _Run, request: Any, item: str) -> Any:
        nonlocal busy
        if busy:
            raise ApiError(500, "Locked")
        busy = True
        try:
            await asyncio.sleep(_BUSY_SECONDS)
            return await run(request, item)
        finally:
            busy = False

    wrap(apidaze.api, "list_accounts", serve)


@collect(
    "list-scripts-no-json",
    "AZ-listExternalScripts",
    "a listing of scripts that asks for JSON by name is refused",
)
def _not_acceptable(apidaze: Any) -> None:
    async def serve(run: _Run, request: Any, item: str) -> Any:
        if request.headers.get("accept", "*/*") == "application/json":
            raise ApiError(412, "Only XML is served")
        return await run(request, item)

    wrap(apidaze.api, "list_scripts", serve)


def _remember_deleted(apidaze: Any, kind: str) -> None:
    gone: set[str] = set()

    def delete(really_delete: Callable[[Any], None], item: Any) -> None:
        gone.add(item.id)
        really_delete(item)

    def find(really_find: Callable[[str], Any], item_id: str) -> Any:
        if item_id in gone:
            raise ApiError(400, "It was deleted")
        return really_find(item_id)

    wrap(apidaze.store, f"delete_{kind}", delete)
    wrap(apidaze.store, kind, find)


def _refuse_with(apidaze: Any, field: str, status: int) -> None:
    def read(really_read: Callable[[Any], Any], fields: Any) -> Any:
        if field not in fields:
            raise ApiError(status, f"{field} is required")
        return really_read(fields)

    wrap(apidaze.api.fields, field, read)

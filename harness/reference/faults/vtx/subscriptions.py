"""VTX faults in who is let in, and in how subscriptions are kept, listed, extended and ended.

Part of the fault catalogue. Each function patches a VTX system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.vtx.answers import ApiError
from harness.reference.vtx.model import instant
from harness.reference.web import basic_credentials

collect = Collector("vtx")

_HOUR = timedelta(hours=1)


@collect("login-unchecked", "VX-access-refused", "every request is served, whatever its login and password")
def _login_unchecked(vtx: Any) -> None:
    put(vtx.api, "check_login", lambda _request, _operation: None)


@collect("password-unchecked", "VX-access-refused", "only the login is compared, not the password")
def _password_unchecked(vtx: Any) -> None:
    def check(really: Callable[..., None], request: Any, operation: Any) -> None:
        if basic_credentials(request.headers.get("authorization", ""))[0] != vtx.login.username:
            really(request, operation)

    wrap(vtx.api, "check_login", check)


@collect("list-without-login", "VX-access-refused", "the list of subscriptions is served without a login")
def _list_without_login(vtx: Any) -> None:
    def check(really: Callable[..., None], request: Any, operation: Any) -> None:
        if operation != "list_subscriptions":
            really(request, operation)

    wrap(vtx.api, "check_login", check)


@collect("login-refused", "VX-access-granted", "every second time the right login and password are refused")
def _login_refused(vtx: Any) -> None:
    served = 0

    def check(really: Callable[..., None], request: Any, operation: Any) -> None:
        nonlocal served
        really(request, operation)
        served += 1
        if served % 2 == 0:
            _fail(401, "Who are you?")

    wrap(vtx.api, "check_login", check)


def _relabelled(old: int, new: int, vtx: Any) -> None:
    def answer(make: Callable[[Any], Any], failure: Any) -> Any:
        failure.status = new if failure.status == old else failure.status
        return make(failure)

    wrap(vtx.api.answers, "failure", answer)


collect.add(
    "no-login-403",
    "VX-access-refused-status",
    "a request without a login is answered 403",
    partial(_relabelled, 401, 403),
)
collect.add(
    "refusals-500", "VX-refusals-are-4xx", "what cannot be accepted is answered 500", partial(_relabelled, 400, 500)
)


@collect("application-unchecked", "VX-application-required", "requests without X-C5-Application are served")
def _application_unchecked(vtx: Any) -> None:
    put(vtx.api, "check_application", lambda _request: None)


@collect("newest-not-listed", "VX-subscription-created-listed", "the list lacks the newest subscription")
def _newest_not_listed(vtx: Any) -> None:
    wrap(vtx.api, "listed", lambda listed: listed()[:-1])


@collect("list-other-expires", "VX-subscription-created-listed", "the list shows ends an hour later than the creation")
def _list_other_expires(vtx: Any) -> None:
    wrap(vtx.api, "view", lambda view, one: view(one) | {"expires": instant(one.expires + _HOUR)})


@collect("list-newest-only", "VX-subscription-list-complete", "the list has the newest subscription alone")
def _list_newest_only(vtx: Any) -> None:
    wrap(vtx.api, "listed", lambda listed: listed()[-1:])


def _wanted(change: Callable[[Any], Any], vtx: Any) -> None:
    wrap(vtx.api.fields, "wanted", lambda wanted, members: change(wanted(members)))


collect.add(
    "url-query-lost",
    "VX-subscription-values-kept",
    "the query of the notification URL is cut off",
    partial(
        _wanted,
        lambda one: replace(one, notification_url=urlunsplit(urlsplit(one.notification_url)._replace(query=""))),
    ),
)
collect.add(
    "last-user-lost",
    "VX-subscription-values-kept",
    "of several users the last is left out",
    partial(_wanted, lambda one: replace(one, user_ids=one.user_ids[:-1] or one.user_ids)),
)
collect.add(
    "expires-lengthened",
    "VX-subscription-expires-kept",
    "a subscription ends an hour later than it was asked to",
    partial(_wanted, lambda one: replace(one, expires=one.expires + _HOUR)),
)


def _shown(change: Callable[[Any], Any], vtx: Any) -> None:
    for view in ("view", "new_view"):
        wrap(vtx.api, view, lambda show, one: show(one) | change(one))


for _name, _clause, _words, _change in (
    (
        "resource-ids-other",
        "resource-ids",
        "resourceIds are not the user ids",
        lambda one: {"resourceIds": [f"r{user_id}" for user_id in one.user_ids]},
    ),
    ("creator-other", "creator", "creatorId is another login", lambda one: {"creatorId": "root@4020.bus.ent"}),
    (
        "application-other",
        "application",
        "applicationId is another application",
        lambda one: {"applicationId": "00000000-0000-4000-8000-000000000000"},
    ),
    (
        "created-zone-lost",
        "created-now",
        "created and modified are local times under the Z of UTC",
        lambda one: {"created": instant(one.created + _HOUR), "modified": instant(one.modified + _HOUR)},
    ),
):
    collect.add(_name, f"VX-subscription-{_clause}", _words, partial(_shown, _change))


@collect("shown-id-leads-nowhere", "VX-deleteSubscription", "the id that a subscription is shown with is not its own")
def _shown_id(vtx: Any) -> None:
    _shown(lambda one: {"id": str(UUID(int=UUID(one.id).int ^ 1))}, vtx)


@collect("same-id", "VX-subscription-own-id", "every subscription has the same id")
def _same_id(vtx: Any) -> None:
    put(vtx.subscriptions, "new_id", lambda: "3f0c2a58-9b1d-4e57-8c62-0d6f7a1b9e44")


@collect("delete-ignored", "VX-subscription-deleted-gone", "a deleted subscription stays in the list")
def _delete_ignored(vtx: Any) -> None:
    put(vtx.subscriptions, "delete", lambda _subscription: None)


@collect("delete-takes-all", "VX-subscription-delete-only-one", "deleting one subscription deletes all")
def _delete_takes_all(vtx: Any) -> None:
    def delete(really: Callable[[Any], None], _subscription: Any) -> None:
        for one in vtx.subscriptions.all():
            really(one)

    wrap(vtx.subscriptions, "delete", delete)


@collect("deleted-again-204", "VX-subscription-deleted-404", "a second deletion of a subscription is answered 204")
def _deleted_again(vtx: Any) -> None:
    gone: dict[str, Any] = {}

    def delete(really: Callable[[Any], None], subscription: Any) -> None:
        gone[subscription.id] = subscription
        really(subscription)

    wrap(vtx.subscriptions, "delete", delete)
    wrap(vtx.api, "subscription", lambda find, item: gone.get(item) or find(item))


@collect("unknown-400", "VX-subscription-unknown-404", "deleting a subscription that never was is answered 400")
def _unknown_400(vtx: Any) -> None:
    made: set[str] = set()

    def new_id(really: Callable[[], str]) -> str:
        made.add(new := really())
        return new

    def find(really: Callable[[str], Any], item: str) -> Any:
        if item not in made:
            raise ApiError(400, "There is no such subscription")
        return really(item)

    wrap(vtx.subscriptions, "new_id", new_id)
    wrap(vtx.api, "subscription", find)


@collect("extension-lost", "VX-subscription-extended", "a subscription keeps its end when it is extended")
def _extension_lost(vtx: Any) -> None:
    put(vtx.subscriptions, "extend", lambda subscription, _expires: subscription)


@collect("expired-listed", "VX-subscription-expired-gone", "a subscription stays in the list when its end has passed")
def _expired_listed(vtx: Any) -> None:
    made = created(vtx)
    wrap(vtx.api, "listed", lambda listed: [*(one for one in made if vtx.subscriptions.expired(one)), *listed()])


@collect("life-unlimited", "VX-subscription-longest-life", "a subscription may live for years")
def _life_unlimited(vtx: Any) -> None:
    put(vtx.subscriptions, "check_life", lambda _expires: None)


@collect("presence-constant", "VX-users-presence-busy", "the presence of a user in a call is that of any other")
def _presence_constant(vtx: Any) -> None:
    put(vtx.phones, "presence", lambda _user_id: "AVAILABLE")


def created(vtx: Any) -> list[Any]:
    """A list that gets every subscription that is made."""
    made: list[Any] = []

    def create(really: Callable[..., Any], *given: Any) -> Any:
        made.append(really(*given))
        return made[-1]

    wrap(vtx.subscriptions, "create", create)
    return made


def _fail(status: int, words: str) -> None:
    raise ApiError(status, words)

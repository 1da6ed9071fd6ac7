"""What VTX knows and shows: users, subscriptions, call logs, and the JSON of each.

Used by every part of the system. Values and pure functions only; nothing here remembers anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

Json = dict[str, object]

_OFFICE_HOURS = timezone(timedelta(hours=1))


@dataclass(frozen=True)
class Party:
    """Whatever has an id and a name: a site, an enterprise, a service provider."""

    id: int
    name: str


@dataclass(frozen=True)
class User:
    """A subscriber. `number` is E.164, which is also the user part of the address; `extension` is dialled inside."""

    id: int
    number: str
    extension: str
    domain: str
    password: str = field(repr=False)

    @property
    def name(self) -> str:
        """The login name, which is the address-of-record too."""
        return f"{self.number}@{self.domain}"


@dataclass(frozen=True)
class Subscription:
    """Who is told about whose calls, where, and until when."""

    id: str
    user_ids: tuple[int, ...]
    notification_url: str
    expires: datetime
    created: datetime
    modified: datetime
    creator: str
    application: str
    resource_type: str = "CALL_LOG"
    creator_role: str = "ENTERPRISE_ADMIN"


@dataclass(frozen=True)
class CallRecord:
    """One call that is over, before it is told from either side.

    `caller` and `callee` are users of ours, None for the other world; `seconds` is the answered time. `final` is the status
    that ended the attempt, 200 where it was answered.
    """

    caller: User | None
    callee: User | None
    caller_number: str
    callee_number: str
    dialled: str
    start: datetime
    ended: datetime
    seconds: float
    final: int

    @property
    def users(self) -> tuple[User, ...]:
        """Those of ours who took part, the caller first, each once."""
        return tuple(dict.fromkeys(user for user in (self.caller, self.callee) if user))


def utc_now() -> datetime:
    return datetime.now(UTC)


def instant(moment: datetime) -> str:
    """UTC with a Z; the fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def office_time(moment: datetime, timespec: str = "microseconds") -> str:
    """The same instant with the offset of the platform's own zone."""
    return moment.astimezone(_OFFICE_HOURS).isoformat(timespec=timespec)


def subscription_json(subscription: Subscription) -> Json:
    """As sampled (VX, List All Subscriptions)."""
    return {
        "id": subscription.id,
        "resourceType": subscription.resource_type,
        "resourceIds": [str(user_id) for user_id in subscription.user_ids],
        "userIds": list(subscription.user_ids),
        "notificationUrl": subscription.notification_url,
        "expires": instant(subscription.expires),
        "creatorId": subscription.creator,
        "creatorRole": subscription.creator_role,
        "creatorIsImpersonated": False,
        "applicationId": subscription.application,
        "created": instant(subscription.created),
        "modified": instant(subscription.modified),
    }


def new_subscription_json(subscription: Subscription) -> Json:
    """As sampled (VX, Create Subscription), where the same instants carry an offset."""
    return subscription_json(subscription) | {
        "created": office_time(subscription.created),
        "modified": office_time(subscription.modified),
    }

"""Tells the subscribers of a call's users that it is over: builds the call log of each, and has it pushed.

Called with each record of a call. What is sent where and when is the notifier's business.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from harness.reference.vtx.directory import ENTERPRISE, PROVIDER, SITE
from harness.reference.vtx.model import CallRecord, Json, Party, Subscription, User, instant, office_time
from harness.reference.vtx.subscriptions import Subscriptions
from harness.reference.vtx.telephony import numbers

# The documents show one number and no meaning; these are our own.
STATUS_ANSWERED, STATUS_BUSY, STATUS_CANCELLED, STATUS_FAILED = 804, 806, 807, 808
_STATUS = {200: STATUS_ANSWERED, 486: STATUS_BUSY, 600: STATUS_BUSY, 487: STATUS_CANCELLED}

Push = Callable[[Subscription, Json], None]


class CallLogs:
    """One event per subscription, call and user; the events of one call and subscription share a push."""

    def __init__(self, subscriptions: Subscriptions, push: Push) -> None:
        self.subscriptions = subscriptions
        self.push = push

    def ended(self, record: CallRecord) -> None:
        """A call is over: push its logs."""
        logs = {user.id: self.call_log(record, user) for user in record.users}
        for subscription in self.concerned(record):
            users = [user for user in record.users if self.asked_for(subscription, user)]
            events = [self.event(record, user, logs[user.id]) for user in users]
            self.push(subscription, self.payload(subscription, events))

    def concerned(self, record: CallRecord) -> list[Subscription]:
        return self.subscriptions.concerned(user.id for user in record.users)

    def asked_for(self, subscription: Subscription, user: User) -> bool:
        return user.id in subscription.user_ids

    def payload(self, subscription: Subscription, events: list[Json]) -> Json:
        """As sampled (VX, CDR Push Notifications)."""
        return {"subscriptionId": subscription.id, "callLogEvents": events}

    def event(self, record: CallRecord, user: User, call_log: Json) -> Json:
        return {
            "changeType": "CREATED",
            "callLog": call_log,
            "eventTime": office_time(record.ended, "milliseconds"),
            "context": self.context(user),
        }

    def call_log(self, record: CallRecord, user: User) -> Json:
        """The call as this user had it. To the called, the number to dial is the caller's in its national form."""
        outgoing = user == record.caller
        number = record.callee_number if outgoing else record.caller_number
        return {
            "id": str(uuid.uuid4()),
            "userId": user.id,
            "callStart": instant(record.start),
            "duration": round(record.seconds),
            "direction": "OUTGOING" if outgoing else "INCOMING",
            "callType": "VOICE",
            "status": _STATUS.get(record.final, STATUS_FAILED),
            "callPartyNumber": number,
            "callPartyDialNumber": record.dialled if outgoing else numbers.national(number),
        }

    def context(self, user: User) -> Json:
        return {
            "user": {"id": user.id, "name": user.name},
            "site": _party(SITE),
            "enterprise": _party(ENTERPRISE),
            "serviceProvider": _party(PROVIDER),
        }


def _party(party: Party) -> Json:
    return {"id": party.id, "name": party.name}

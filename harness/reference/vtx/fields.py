"""Reads what requests carry in their JSON bodies, and says in words what is wrong with it.

Called by the API. Each member is a method, so that a fault can treat one member differently.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from starlette.requests import Request

from harness.reference.fetch import url_problem
from harness.reference.vtx.answers import ApiError
from harness.reference.vtx.directory import Directory
from harness.reference.vtx.subscriptions import Wanted
from harness.reference.web import read_body

MAX_USERS = 100
_RESOURCE_TYPES = ("CALL_LOG",)
# Python reads more forms than ISO 8601's extended one with a zone, and no fraction of nine digits.
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE | re.ASCII)


class Fields:
    """The members of the two bodies that the API takes."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    async def read(self, request: Request) -> dict[str, object]:
        """The JSON object in the body. Raises ApiError, BadRequestError."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise ApiError(415, f"Bodies are application/json, not '{kind}'")
        body = await read_body(request)
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, "The body is not JSON") from error
        if not isinstance(parsed, dict):
            raise ApiError(400, "The JSON body is not an object")
        return parsed

    def wanted(self, members: dict[str, object]) -> Wanted:
        """A whole request for a subscription. Raises ApiError."""
        return Wanted(
            user_ids=self.user_ids(members),
            notification_url=self.notification_url(members),
            resource_type=self.resource_type(members),
            expires=self.expires(members),
        )

    def user_ids(self, members: dict[str, object]) -> tuple[int, ...]:
        given = members.get("userIds")
        if not isinstance(given, list) or not given or len(given) > MAX_USERS:
            raise ApiError(400, f"userIds is needed: a list of 1 to {MAX_USERS} user ids")
        ids = tuple(one for one in given if isinstance(one, int) and not isinstance(one, bool))
        if len(ids) != len(given) or len(set(ids)) != len(ids):
            raise ApiError(400, "userIds are numbers, each of them once")
        for user_id in ids:
            if not self.known(user_id):
                raise ApiError(400, f"There is no user {user_id}")
        return ids

    def known(self, user_id: int) -> bool:
        return self.directory.by_id(user_id) is not None

    def notification_url(self, members: dict[str, object]) -> str:
        given = members.get("notificationUrl")
        if not isinstance(given, str):
            raise ApiError(400, "notificationUrl is needed: a text")
        problem = "holds characters beyond ASCII" if not given.isascii() else url_problem(given)
        if problem:
            raise ApiError(400, f"notificationUrl {problem}")
        return given

    def resource_type(self, members: dict[str, object]) -> str:
        given = members.get("resourceType")
        if not isinstance(given, str) or given not in _RESOURCE_TYPES:
            raise ApiError(400, f"resourceType is needed: {' or '.join(_RESOURCE_TYPES)}")
        return given

    def expires(self, members: dict[str, object]) -> datetime:
        given = members.get("expires")
        moment = read_instant(given) if isinstance(given, str) else None
        if moment is None:
            raise ApiError(400, "expires is needed: an instant such as 2031-05-01T12:00:00.000Z")
        return moment


def read_instant(text: str) -> datetime | None:
    """An ISO 8601 instant with a zone, to the microsecond; None for anything else."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    fraction = (match[2] or ".0")[1:7].ljust(6, "0")
    try:
        return (
            datetime.fromisoformat(f"{match[1]}{match[3].upper()}").astimezone(UTC).replace(microsecond=int(fraction))
        )
    except (ValueError, OverflowError):
        return None

"""The enterprise and its users, who are there from the start: no operation of the API makes or shows them.

Made by the system with new passwords for each process; asked by the API, the SIP side and the call logs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from harness.reference.vtx.model import Party, User
from harness.reference.vtx.telephony import numbers

DOMAIN = "voip.vtx.example"
SITE = Party(4021, "s1.4020.bus.vtx.example")
ENTERPRISE = Party(4020, "4020.bus.ent")
PROVIDER = Party(3, "ringtrue.sp")

_FIRST_ID, _FIRST_NUMBER, _FIRST_EXTENSION = 40310, 41225550101, 701


def new_users(count: int) -> list[User]:
    """Users with consecutive numbers and extensions, and passwords that nobody knows yet."""
    return [
        User(
            id=_FIRST_ID + 4 * index,
            number=f"+{_FIRST_NUMBER + index}",
            extension=str(_FIRST_EXTENSION + index),
            domain=DOMAIN,
            password=secrets.token_hex(12),
        )
        for index in range(count)
    ]


class Directory:
    """Finds users by what names them."""

    def __init__(self, users: Iterable[User]) -> None:
        self.users = tuple(users)

    def by_id(self, user_id: int) -> User | None:
        return next((user for user in self.users if user.id == user_id), None)

    def by_login(self, login: str) -> User | None:
        """By login name, with or without its domain."""
        return next((user for user in self.users if login in (user.name, user.number)), None)

    def by_id_or_name(self, text: str) -> User | None:
        """By what stands for a user in a path: the id, or the login name."""
        digits = text.isascii() and text.isdigit() and len(text) <= 10
        return (self.by_id(int(text)) if digits else None) or self.by_login(text)

    def by_dialled(self, dialled: str) -> User | None:
        """By number in any form, or by extension."""
        number = numbers.international(dialled)
        return next((user for user in self.users if number in (user.number, user.extension)), None)

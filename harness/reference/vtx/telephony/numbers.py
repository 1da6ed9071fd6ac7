"""The Swiss dial plan: what a user dialled, as an international number.

Called by the SIP side. Pure functions over text.
"""

from __future__ import annotations

import re

COUNTRY = "41"
_SEPARATORS = re.compile(r"[\s.()/-]")
_NUMBER = re.compile(r"\+?[0-9]{2,20}")


def plain(dialled: str) -> str:
    """Without visual separators and telephone parameters (RFC 3966 section 5.1.1)."""
    return _SEPARATORS.sub("", dialled.partition(";")[0])


def is_number(dialled: str) -> bool:
    """Whether this can be sent to the outside world as a telephone number."""
    return bool(_NUMBER.fullmatch(plain(dialled)))


def international(dialled: str) -> str:
    """E.164 with its plus for +, 00, national (0…) and bare international forms; a short code or a name stays as it is."""
    number = plain(dialled)
    if not _NUMBER.fullmatch(number) or number.startswith("+"):
        return number
    if number.startswith("00"):
        return f"+{number[2:]}"
    if number.startswith("0"):
        return f"+{COUNTRY}{number[1:]}"
    return f"+{number}" if len(number) > 9 else number


def national(number: str) -> str:
    """The form in which a user here would dial an international number."""
    if number.startswith(f"+{COUNTRY}"):
        return f"0{number[len(COUNTRY) + 1 :]}"
    return f"00{number[1:]}" if number.startswith("+") else number

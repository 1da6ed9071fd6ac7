"""Telephone numbers as the platform compares and sends them: international form with a plus (ITU-T E.164).

Called wherever a number comes in. Pure. The accounts of the reference platform are in the United Kingdom, so a national
form is a British one.
"""

from __future__ import annotations

import re

_COUNTRY = "44"
_NUMBER = re.compile(r"\+?[0-9]{3,15}")


def is_number(text: str) -> bool:
    """Whether this is a telephone number in any usual form, without separators."""
    return _NUMBER.fullmatch(text) is not None


def international(text: str) -> str:
    """The number as + and digits; text that is no number comes back as it is.

    `00` stands for the plus, a single 0 for the country; digits without either are taken for international ones, as the
    page writes them, unless they are too few.
    """
    if not is_number(text) or text.startswith("+"):
        return text
    if text.startswith("00"):
        return f"+{text[2:]}"
    if text.startswith("0"):
        return f"+{_COUNTRY}{text[1:]}"
    return f"+{text}" if len(text) > 6 else text


def same_number(one: str, other: str) -> bool:
    """Whether two forms mean the same number."""
    return international(one) == international(other)

"""Addresses, taken apart and put together."""

from __future__ import annotations

import pytest

from harness.reference.sip import AddressError, NameAddr, SipUri, parse_name_addr, parse_uri
from harness.reference.sip.uri import quote_string, split_top, unquote_string


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:bob@host", SipUri("sip", "bob", "host")),
        ("SIPS:bob:pw@h.example:5061", SipUri("sips", "bob", "h.example", 5061, password="pw")),
        ("sip:host;lr", SipUri("sip", None, "host", params=(("lr", None),))),
        (
            "sip:+44%20x;ext=1@h;transport=TCP?a=b",
            SipUri("sip", "+44 x;ext=1", "h", None, (("transport", "TCP"),), "a=b"),
        ),
        ("sip:[::1]:5070", SipUri("sip", None, "[::1]", 5070)),
        ("tel:+441234;phone-context=x", SipUri("tel", "+441234", "", params=(("phone-context", "x"),))),
    ],
)
def test_uris_are_taken_apart(text: str, expected: SipUri) -> None:
    assert parse_uri(text) == expected


@pytest.mark.parametrize("text", ["sip:bob@host", "sip:a%20b@h:1;x=y?p=q", "tel:+44", "sips:h;lr"])
def test_uris_are_put_together_again(text: str) -> None:
    assert str(parse_uri(text)) == text


@pytest.mark.parametrize(
    "text", ["", "bob", "sip:", "sip:bob@", "sip:a b@h", "sip:h:99999", "http://x", "tel:", "1x:y"]
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_uri(text)


@pytest.mark.parametrize(
    ("text", "display", "uri", "tag"),
    [
        ('"Bob, the \\"B\\"" <sip:b@h;lr>;tag=1', 'Bob, the "B"', "sip:b@h;lr", "1"),
        ("Bob  B <sip:b@h> ; TAG = 2", "Bob B", "sip:b@h", "2"),
        ("sip:b@h;tag=3", "", "sip:b@h", "3"),
        ("<tel:+44>", "", "tel:+44", None),
        ('""<sip:b@h>', "", "sip:b@h", None),
    ],
)
def test_name_addrs_are_taken_apart(text: str, display: str, uri: str, tag: str | None) -> None:
    value = parse_name_addr(text)
    assert (value.display, value.uri, value.tag) == (display, uri, tag)
    assert parse_name_addr(str(value)) == value


@pytest.mark.parametrize("text", ["", '"Bob <sip:b@h>', "<sip:b@h", '"Bob" sip:b@h', "<sip:b@h> x", "<>", "bob"])
def test_broken_name_addrs_are_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_name_addr(text)


def test_a_display_name_cannot_smuggle_a_header() -> None:
    text = str(NameAddr("sip:b@h", 'x"\r\nEvil: 1'))
    assert "\r" not in text
    assert parse_name_addr(text).display == 'x" Evil: 1'


def test_splitting_respects_quotes_and_brackets() -> None:
    assert split_top('"a,b" <sip:x,y@h>, c ,,d', ",") == ['"a,b" <sip:x,y@h>', "c", "d"]
    assert unquote_string(quote_string('a\\"b')) == 'a\\"b'

"""Messages out of bytes: legal oddities in the manner of RFC 4475, malformed ones, limits, and stream framing."""

from __future__ import annotations

import random
import re

import pytest

from harness.reference.sip import Limits, MalformedMessage, Request, Response, parse
from harness.reference.sip.parsing import Framer, Unframeable

from .support import request_text


def wire(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def a_request(data: bytes | str) -> Request:
    message = parse(data if isinstance(data, bytes) else wire(data))
    assert isinstance(message, Request)
    return message


def in_words(value: object) -> str:
    """A test id that can be read: the part of a message that a plain request does not have."""
    if isinstance(value, int):
        return str(value)
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    plain = request_text("OPTIONS", body="abc").split("\r\n")
    odd = [line for line in text.split("\r\n") if line not in plain]
    return re.sub(r"[^\w]+", "-", odd[0] if odd else text)[:40].strip("-") or "nothing"


TORTUOUS = """INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 4
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

body"""


def test_odd_white_space_folding_and_compact_names_are_understood() -> None:
    request = a_request(TORTUOUS)
    assert request.uri == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert (request.to.tag, request.from_.tag) == ("1918181833n", "98asjd8")
    assert request.from_.display == 'J Rosenberg \\"'
    assert request.cseq == (9, "INVITE")
    assert (request.via.transport, request.via.host, request.via.branch) == ("UDP", "192.0.2.2", "390skdjuw")
    assert len(request.headers.values("Via")) == 3
    assert request.headers.get("Subject") == ""
    assert request.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert request.body == b"body"


UNUSUAL_URI = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1@example.com"


def test_unusual_characters_and_methods_are_legal() -> None:
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    text = request_text(method, "Extension: \u00fc\u00e9 \\\x07", uri=UNUSUAL_URI)
    request = a_request(text)
    assert request.method == method
    assert request.headers.get("extension") == "\u00fc\u00e9 \\\x07"


def test_bytes_after_the_body_are_dropped_and_serialising_gives_the_same_message() -> None:
    request = a_request(wire(request_text("OPTIONS", body="abc")) + b"trailing")
    assert request.body == b"abc"
    again = a_request(request.serialise())
    assert (list(again.headers), again.body) == (list(request.headers), b"abc")


def test_bare_line_feeds_and_leading_blank_lines_are_tolerated() -> None:
    assert a_request(b"\r\n\r\n" + request_text("OPTIONS").replace("\r\n", "\n").encode()).method == "OPTIONS"


def test_a_response_without_a_reason_is_read() -> None:
    text = request_text("OPTIONS").replace("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "SIP/2.0 200")
    response = parse(text.encode())
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (200, "")


def changed(old: str, new: str) -> str:
    text = request_text("OPTIONS", body="abc")
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (changed("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400),
        (changed("CSeq: 1 OPTIONS", "CSeq: 36893488147419103232 OPTIONS"), 400),
        (changed("CSeq: 1 OPTIONS", "CSeq: OPTIONS"), 400),
        (changed("CSeq: 1 OPTIONS", "CSeq: -1 OPTIONS"), 400),
        (changed("Content-Length: 3", "Content-Length: 9999"), 400),
        (changed("Content-Length: 3", "Content-Length: -999"), 400),
        (changed("Content-Length: 3", "Content-Length: 3\r\nContent-Length: 5"), 400),
        (changed("Max-Forwards: 70", "Max-Forwards: 300"), 400),
        (changed("Max-Forwards: 70", "Max-Forwards: many"), 400),
        (changed("To: <sip:bob@127.0.0.1>", 'To: "Mr. J. User <sip:j.user@example.com>'), 400),
        (changed("To: <sip:bob@127.0.0.1>", "To: <sip:bob@127.0.0.1>\r\nTo: <sip:c@d>"), 400),
        (changed("From: <sip:alice@127.0.0.1>;tag=a1", "From: alice"), 400),
        (changed("Max-Forwards: 70", 'Contact: "Joe" <sip:joe@example.org>;;;;, <'), 400),
        (changed("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "OPTIONS <sip:bob@127.0.0.1> SIP/2.0"), 400),
        (changed("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "OPTIONS sip:bob@127.0.0.1; lr SIP/2.0"), 400),
        (changed("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "OPTIONS  sip:bob@127.0.0.1 SIP/2.0"), 400),
        (changed("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "OPTIONS sip:bob@127.0.0.1 SIP/2.0 "), 400),
        (changed("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "OPTIONS sip:bob@127.0.0.1 SIP/7.0"), 505),
        (changed("OPTIONS sip:bob", "OPTIONS sip:" + "b" * 9000), 414),
        (changed("Call-ID: call1", "Call-ID: two words"), 400),
        (changed("Max-Forwards: 70", "a line without a colon"), 400),
        (changed("Max-Forwards: 70", "X: " + "y" * 9000), 400),
        (changed("Max-Forwards: 70", "\r\n".join(["X: y"] * 300)), 400),
        (changed("Max-Forwards: 70", "\r\n".join(["Via: SIP/2.0/UDP a;branch=b"] * 80)), 400),
    ],
    ids=in_words,
)
def test_malformed_requests_can_be_answered(text: str, status: int) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(text.encode())
    assert caught.value.status == status
    assert caught.value.partial is not None
    assert caught.value.partial.method == "OPTIONS"
    assert caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 100,
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS",
        "OPTIONS sip:x SIP/2.0",
        "SIP/2.0 99 Low\r\n\r\n",
        "SIP/2.0 4294967301 better not break the receiver\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\n",
        changed("Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport", "Via: nonsense"),
        changed("Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1;rport", "Via: SIP/2.0/UDP h:99999;branch=z9hG4bK1"),
        changed("Call-ID: call1\r\n", ""),
        changed("To: <sip:bob@127.0.0.1>\r\n", ""),
        request_text("ACK").replace("CSeq: 1 ACK", "CSeq: x"),
        request_text("OPTIONS").replace("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK").replace("CSeq", "X"),
    ],
    ids=in_words,
)
def test_what_cannot_be_answered_is_refused_without_a_partial(text: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(text.encode())
    assert caught.value.partial is None


def test_a_message_past_the_limit_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="large"):
        parse(request_text("OPTIONS", body="x" * 200).encode(), Limits(message=300))


def test_random_and_mutilated_bytes_raise_nothing_else() -> None:
    dice = random.Random(7)
    good = TORTUOUS.replace("\n", "\r\n").encode()
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 12)):
            at = dice.randrange(len(data))
            data[at : at + dice.randrange(4)] = dice.randbytes(dice.randrange(4))
        try:
            message = parse(bytes(data))
        except MalformedMessage:
            continue
        assert parse(message.serialise()).call_id == message.call_id


def test_a_stream_is_cut_at_every_possible_place() -> None:
    one, two = request_text("OPTIONS", body="abc").encode(), request_text("BYE").encode()
    stream = b"\r\n\r\n" + one + b"\r\n" + two
    for size in (1, 2, 7, 100, len(stream)):
        framer = Framer()
        found = [m for i in range(0, len(stream), size) for m in framer.feed(stream[i : i + size])]
        assert found == [one, two]
        assert framer.pending == 0


def test_a_compact_and_folded_content_length_frames_too() -> None:
    text = request_text("OPTIONS", body="abc").replace("Content-Length: 3", "l:\r\n 3").encode()
    assert Framer().feed(text + b"BYE") == [text]


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 70_000,
        request_text("OPTIONS").replace("Content-Length: 0", "Content-Length: 99999").encode(),
        request_text("OPTIONS").replace("Content-Length: 0", "Content-Length: -1").encode(),
    ],
    ids=in_words,
)
def test_a_stream_beyond_repair_is_given_up(data: bytes) -> None:
    with pytest.raises(Unframeable):
        Framer().feed(data)

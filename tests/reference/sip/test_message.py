"""Headers and responses."""

from __future__ import annotations

from harness.reference.sip import Headers, Request, parse, response_to
from harness.reference.sip.message import parse_via

from .support import request_text


def test_names_match_without_case_and_in_compact_form() -> None:
    headers = Headers([("v", "a"), ("X-Two", "1"), ("VIA", "b"), ("x-two", "2, 3")])
    assert headers.rows("Via") == ["a", "b"]
    assert headers.rows("x-TWO") == ["1", "2, 3"]
    assert headers.values("X-Two") == ["1", "2", "3"]
    assert "Session-Expires" not in headers
    headers.set("V", "c")
    assert list(headers) == [("V", "c"), ("X-Two", "1"), ("x-two", "2, 3")]
    headers.remove("x-two")
    assert len(headers) == 1


def test_a_value_cannot_add_a_header() -> None:
    headers = Headers([("A", "x\r\nB: y")])
    headers.set("A", "x\r\nB: y")
    request = Request("OPTIONS", "sip:x", headers)
    assert b"\r\nB:" not in request.serialise()


def test_a_response_copies_what_it_must_and_tags_to_once() -> None:
    request = parse(request_text("OPTIONS", "Via: SIP/2.0/UDP second;branch=2").encode())
    assert isinstance(request, Request)
    response = response_to(request, 404, to_tag="t", headers=[("X", "1")])
    assert response.reason == "Not Found"
    assert len(response.headers.rows("Via")) == 2
    assert (response.to.tag, response.call_id, response.cseq) == ("t", "call1", (1, "OPTIONS"))
    tagged = parse(request_text("OPTIONS", to="<sip:b@h>;tag=old").encode())
    assert isinstance(tagged, Request)
    assert response_to(tagged, 200, to_tag="new").to.tag == "old"


def test_the_top_via_is_replaced_alone() -> None:
    request = parse(request_text("OPTIONS").replace(";rport", ";rport, SIP/2.0/TCP below;branch=9").encode())
    request.replace_top_via(parse_via("SIP/2.0/UDP other:1;branch=5"))
    assert request.headers.values("Via") == ["SIP/2.0/UDP other:1;branch=5", "SIP/2.0/TCP below;branch=9"]
    assert request.via.branch == "5"

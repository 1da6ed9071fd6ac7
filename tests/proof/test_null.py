"""Null telephony answers what looks like a request, and says nothing to anything else."""

from __future__ import annotations

import pytest

from harness.proof.null.sip import answer_200

_OPTIONS = (
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h:1;branch=z9hG4bK1\r\nf: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\n"
    b"Call-ID: 7\r\nCSeq: 1 OPTIONS\r\nX-Other: z\r\n\r\nbody"
)


def test_a_request_is_answered_with_its_own_lines() -> None:
    answer = answer_200(_OPTIONS)
    assert answer is not None
    lines = answer.decode().split("\r\n")
    assert lines[0] == "SIP/2.0 200 OK"
    assert "f: <sip:x@y>;tag=1" in lines
    assert "To: <sip:a@b>;tag=null" in lines
    assert not [line for line in lines if line.startswith("X-Other")]
    assert answer.endswith(b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("data", [b"SIP/2.0 200 OK\r\n\r\n", b"ACK sip:a@b SIP/2.0\r\n\r\n", b"noise", b""])
def test_nothing_else_is_answered(data: bytes) -> None:
    assert answer_200(data) is None

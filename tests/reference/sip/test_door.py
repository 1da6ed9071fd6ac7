"""Requests from a raw socket: what is refused at the door, what is absorbed, and what garbage does (nothing)."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest

from harness.reference.sip import CallState, IncomingCall, Request, Response, SipEndpoint

from .support import SDP, RawPeer, acknowledged, drained, endpoint, raw, request_text, run, until


def answer(call: IncomingCall) -> None:
    call.answer(SDP)


def ring(call: IncomingCall) -> None:
    call.progress(180)


DOOR = [
    "options",
    "options-at-zero-hops",
    "register-without-a-registrar",
    "known-method-not-served",
    "unknown-method",
    "bye-without-dialog",
    "bye-of-an-unknown-dialog",
    "update-of-an-unknown-dialog",
    "reinvite-of-an-unknown-dialog",
    "cancel-of-nothing",
    "required-extension",
    "proxy-required-extension",
    "no-hops-left",
    "unknown-scheme",
    "broken-uri",
    "method-mismatch",
    "other-version",
]


@pytest.mark.parametrize(
    ("text", "status", "header"),
    [
        (request_text("OPTIONS"), 200, ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO")),
        (request_text("OPTIONS", max_forwards=0), 200, None),
        (request_text("REGISTER"), 405, ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO")),
        (request_text("PUBLISH"), 405, None),
        (request_text("DANCE"), 501, ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO")),
        (request_text("BYE"), 481, None),
        (request_text("BYE", to="<sip:bob@h>;tag=x"), 481, None),
        (request_text("UPDATE", to="<sip:bob@h>;tag=x"), 481, None),
        (request_text("INVITE", to="<sip:bob@h>;tag=x"), 481, None),
        (request_text("CANCEL"), 481, None),
        (
            request_text("INVITE", "Require: nothingSupportsThis, 100rel"),
            420,
            ("Unsupported", "nothingSupportsThis, 100rel"),
        ),
        (request_text("OPTIONS", "Proxy-Require: x"), 420, ("Unsupported", "x")),
        (request_text("INVITE", max_forwards=0), 483, None),
        (request_text("INVITE", uri="nobodyKnowsThisScheme:totallyopaquecontent"), 416, None),
        (request_text("INVITE", uri="sip:bob@"), 400, None),
        (request_text("OPTIONS").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400, None),
        (request_text("OPTIONS").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia"), 505, None),
    ],
    ids=DOOR,
)
def test_what_is_answered_at_the_door(text: str, status: int, header: tuple[str, str] | None) -> None:
    async def scenario() -> None:
        async with endpoint(ring) as made, raw(made.port) as peer:
            peer.send(text)
            response = await peer.receive()
            assert isinstance(response, Response)
            assert response.status == status
            if header:
                assert response.headers.get(header[0]) == header[1]
            if status != 400 and status != 505:
                assert response.to.tag

    run(scenario())


def test_without_a_handler_nobody_is_here() -> None:
    async def scenario() -> None:
        async with endpoint() as made, raw(made.port) as peer:
            peer.send(request_text("INVITE"))
            assert await peer.status() == 404

    run(scenario())


async def set_up(peer: RawPeer, record_route: str = "") -> str:
    """An answered call with its ACK; the To value of its dialog."""
    contact = f"Contact: <sip:alice@127.0.0.1:{peer.port}>"
    peer.send(request_text("INVITE", contact, *filter(None, [record_route])))
    assert await peer.status() == 200
    to = str(peer.got[-1].to)
    peer.send(request_text("ACK", to=to, branch="z9hG4bKack"))
    return to


def test_responses_go_to_the_source_port_with_received_and_rport() -> None:
    async def scenario() -> None:
        async with endpoint(answer) as made, raw(made.port) as peer:
            peer.send(request_text("OPTIONS").replace("UDP 127.0.0.1;", "UDP elsewhere.example:9;"))
            response = await peer.receive()
            assert (response.via.param("received"), response.via.param("rport")) == ("127.0.0.1", str(peer.port))

    run(scenario())


def test_a_repeated_invite_is_one_call_and_gets_the_same_answer() -> None:
    async def scenario() -> None:
        calls: list[IncomingCall] = []
        async with endpoint(calls.append) as made, raw(made.port) as peer:
            for _ in range(3):
                peer.send(request_text("INVITE"))
            await until(lambda: bool(calls), lambda: calls)
            calls[0].reject(486)
            assert await peer.status() == 486
            assert await peer.status() == 486
            peer.send(request_text("ACK", to=str(peer.got[-1].to)))
            await drained(made)
            assert len(calls) == 1

    run(scenario())


def test_the_same_invite_by_another_path_is_a_loop() -> None:
    async def scenario() -> None:
        async with endpoint(ring) as made, raw(made.port) as peer:
            peer.send(request_text("INVITE"))
            peer.send(request_text("INVITE", branch="z9hG4bK2"))
            assert await peer.status() == 482

    run(scenario())


def test_a_cancel_is_answered_and_so_is_the_invite() -> None:
    async def scenario() -> None:
        async with endpoint(ring) as made, raw(made.port) as peer:
            peer.send(request_text("INVITE"))
            while (await peer.receive()).cseq[1] != "INVITE" or getattr(peer.got[-1], "status", 0) != 180:
                pass
            peer.send(request_text("CANCEL"))
            finals: dict[str, int] = {}
            while len(finals) < 2:
                status = await peer.status()
                finals[peer.got[-1].cseq[1]] = status
            assert finals == {"CANCEL": 200, "INVITE": 487}
            peer.send(request_text("ACK", to=str(peer.got[-1].to)))
            await drained(made)

    run(scenario())


def test_a_cancel_after_the_answer_changes_nothing() -> None:
    async def scenario() -> None:
        calls: list[IncomingCall] = []

        def keep(call: IncomingCall) -> None:
            calls.append(call)
            call.answer(SDP)

        async with endpoint(keep) as made, raw(made.port) as peer:
            await set_up(peer)
            peer.send(request_text("CANCEL"))
            assert await peer.status() == 200
            assert calls[0].state is CallState.ANSWERED

    run(scenario())


def test_requests_out_of_order_in_a_dialog_are_refused() -> None:
    async def scenario() -> None:
        async with endpoint(answer) as made, raw(made.port) as peer:
            to = await set_up(peer)
            peer.send(request_text("INFO", to=to, seq=5, branch="z9hG4bKa"))
            assert await peer.status() == 200
            peer.send(request_text("INFO", to=to, seq=4, branch="z9hG4bKb"))
            assert await peer.status() == 500
            peer.send(request_text("BYE", to=to, seq=6, branch="z9hG4bKc").replace("tag=a1", "tag=other"))
            assert await peer.status() == 481
            peer.send(request_text("BYE", to=to, seq=6, branch="z9hG4bKd"))
            assert await peer.status() == 200
            await drained(made)

    run(scenario())


@pytest.mark.parametrize("loose", [True, False])
def test_requests_of_ours_follow_the_recorded_route(loose: bool) -> None:
    async def scenario() -> None:
        calls: list[IncomingCall] = []

        def keep(call: IncomingCall) -> None:
            calls.append(call)
            call.answer(SDP)

        async with endpoint(keep) as made, raw(made.port) as peer:
            hop = f"<sip:127.0.0.1:{peer.port}{';lr' if loose else ''}>"
            await set_up(peer, f"Record-Route: {hop}, <sip:second.example;lr>")
            assert peer.got[-1].headers.values("Record-Route") == [hop, "<sip:second.example;lr>"]
            await acknowledged(calls[0])
            calls[0].hangup()
            while not isinstance(bye := await peer.receive(), Request):
                pass
            contact = f"sip:alice@127.0.0.1:{peer.port}"
            if loose:
                assert (bye.uri, bye.headers.rows("Route")) == (contact, [hop, "<sip:second.example;lr>"])
            else:
                assert bye.uri == hop.strip("<>")
                assert bye.headers.rows("Route") == ["<sip:second.example;lr>", f"<{contact}>"]

    run(scenario())


def test_an_early_bye_ends_the_call_and_the_invite() -> None:
    async def scenario() -> None:
        calls: list[IncomingCall] = []

        def keep(call: IncomingCall) -> None:
            calls.append(call)
            call.progress(180)

        async with endpoint(keep) as made, raw(made.port) as peer:
            peer.send(request_text("INVITE"))
            while getattr(await peer.receive(), "status", 0) != 180:
                pass
            peer.send(request_text("BYE", to=str(peer.got[-1].to), seq=2, branch="z9hG4bKb"))
            assert {await peer.status(), await peer.status()} == {200, 487}
            assert (await calls[0].ended()).how == "bye"

    run(scenario())


async def tcp_garbage(made: SipEndpoint, chunks: list[bytes]) -> None:
    for chunk in chunks:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        try:
            writer.write(chunk)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 2)
        except ConnectionError:
            continue
        finally:
            writer.close()


def test_garbage_on_both_transports_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        dice = random.Random(11)
        good = [
            request_text("INVITE", "Contact: <sip:a@127.0.0.1>", body=SDP.decode()),
            request_text("REGISTER", "Contact: *"),
            request_text("BYE", to="<sip:b@h>;tag=q"),
            request_text("OPTIONS").replace("OPTIONS sip:bob@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK"),
        ]
        async with endpoint(answer) as made, raw(made.port) as peer:
            chunks = []
            for number in range(600):
                data = bytearray(dice.choice(good).replace("z9hG4bK1", f"z9hG4bK{number}").encode())
                for _ in range(dice.randrange(6)):
                    at = dice.randrange(len(data))
                    data[at : at + dice.randrange(5)] = dice.randbytes(dice.randrange(5))
                chunks.append(bytes(data))
                peer.send(bytes(data))
                peer.send(dice.randbytes(dice.randrange(100)))
                if number % 50 == 0:
                    await asyncio.sleep(0)
            await tcp_garbage(made, [b"", b"\r\n\r\n", b"\0" * 70_000, b"\xff" * 70_000, *chunks[:40]])
            await drained(made)
            async with endpoint() as caller:
                call = await caller.invite(f"sip:x@127.0.0.1:{made.port}", from_="<sip:y@h>", sdp=SDP)
                await call.answered()
                call.hangup()
                await drained(made)
            await until(lambda: made.stats().connections == 0, made.stats)
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []

    with caplog.at_level(logging.ERROR):
        run(scenario(), 40)


def test_connections_are_bounded_and_keep_alives_answered() -> None:
    async def scenario() -> None:
        async with endpoint(answer, max_connections=3) as made:
            opened = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(8)]
            await until(lambda: made.stats().connections == 3, made.stats)
            reader, writer = opened[-1]
            writer.write(b"\r\n\r\n")
            assert await asyncio.wait_for(reader.readexactly(2), 2) == b"\r\n"
            for _, each in opened:
                each.close()
            await until(lambda: made.stats().connections == 0, made.stats)

    run(scenario())


def test_a_fault_can_be_seeded_in_what_is_sent() -> None:
    async def scenario() -> None:
        async with endpoint(answer) as made, raw(made.port) as peer:

            def corrupt(message: Request | Response, _address: object) -> Request | Response | None:
                if isinstance(message, Response):
                    message.status = 299
                return message

            made.on_send = corrupt
            peer.send(request_text("OPTIONS"))
            assert await peer.status() == 299

    run(scenario())

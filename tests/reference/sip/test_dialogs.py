"""What happens inside a call between two endpoints on real sockets: new media, INFO, an offer that comes with the answer."""

from __future__ import annotations

import asyncio

import pytest

from harness.reference.sip import CallFailed, CallState, Refused, Request

from .support import SDP, Answerer, acknowledged, connected, dial, endpoint, run, until

OTHER_SDP = SDP.replace(b"audio 9", b"audio 11")


def test_a_reinvite_changes_media_both_ways() -> None:
    async def scenario() -> None:
        async with connected() as (call, far):
            far.on_reinvite = lambda _request: OTHER_SDP
            assert (await call.reinvite(SDP)).body == OTHER_SDP
            assert call.remote_sdp == OTHER_SDP

            async def slowly(_request: Request) -> bytes:
                await asyncio.sleep(0)
                return SDP

            call.on_reinvite = slowly
            assert far._confirmations  # its offer waits for the ACK of what it accepted
            assert (await far.reinvite(OTHER_SDP)).status == 200
            assert call.remote_sdp == OTHER_SDP
            far.hangup()
            await call.ended()

    run(scenario())


def test_a_refused_reinvite_leaves_the_call_as_it_was() -> None:
    async def scenario() -> None:
        async with connected() as (call, far):

            def refuse(_request: Request) -> bytes:
                raise Refused(488)

            far.on_reinvite = refuse
            with pytest.raises(CallFailed) as caught:
                await call.reinvite(OTHER_SDP)
            assert caught.value.code == 488
            assert (call.state, call.local_sdp) == (CallState.ANSWERED, SDP)

    run(scenario())


def test_reinvites_that_cross_are_both_refused_with_491() -> None:
    async def scenario() -> None:
        async with connected() as (call, far):
            await acknowledged(far)
            results = await asyncio.gather(call.reinvite(SDP), far.reinvite(SDP), return_exceptions=True)
            assert [getattr(result, "code", result) for result in results] == [491, 491]

    run(scenario())


def test_info_goes_through_and_its_handler_says_the_status() -> None:
    async def scenario() -> None:
        async with connected() as (call, far):
            bodies: list[bytes] = []
            assert (await call.request_in_dialog("INFO", body=b"1", content_type="text/x")).status == 200

            def take(request: Request) -> int:
                bodies.append(request.body)
                return 415

            far.on_info = take
            assert (await call.request_in_dialog("INFO", body=b"2", content_type="text/x")).status == 415
            assert bodies == [b"2"]
            assert (await call.request_in_dialog("OPTIONS")).status == 200
            assert (await call.request_in_dialog("MESSAGE")).status == 405
            call.hangup()
            with pytest.raises(CallFailed):
                await call.request_in_dialog("INFO")

    run(scenario())


def test_an_offer_in_the_answer_is_answered_in_the_ack() -> None:
    async def scenario() -> None:
        answerer = Answerer()
        async with endpoint() as a, endpoint(answerer) as b:
            call = await dial(a, b, sdp=None)
            call.on_offer = lambda _offer: OTHER_SDP
            await call.answered()
            far = answerer.calls[0]
            await until(lambda: far.remote_sdp is not None, lambda: far.remote_sdp)
            assert far.remote_sdp == call.local_sdp == OTHER_SDP

    run(scenario())

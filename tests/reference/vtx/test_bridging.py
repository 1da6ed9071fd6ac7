"""What passes between the two legs of a call: descriptions of media, re-INVITE, INFO, hang-ups, refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.reference.media import RtpSession, answer_offer, build_offer, tone
from harness.reference.sip import CallFailed, Credentials, IncomingCall, Request
from harness.reference.vtx.telephony import bridge
from tests.reference.vtx.in_process import Rig, busy, pick_up, rig
from tests.reference.vtx.test_pushes import run

OFFER, OTHER = build_offer("127.0.0.1", 4000), build_offer("127.0.0.1", 4002, ("PCMU",))


async def refused(made: Rig, dialled: str, **options: Any) -> int:
    """The status that refuses a call of the first user."""
    call = await made.anna.call(dialled, **options)
    with pytest.raises(CallFailed) as caught:
        await call.answered()
    return caught.value.code


def test_offer_and_answer_pass_unchanged_with_the_callers_identity() -> None:
    async def work(made: Rig) -> None:
        made.bert.answer = lambda call: call.answer(OTHER)
        call = await made.anna.call(made.users[1].number, sdp=OFFER)
        answer = await call.answered()
        (received,) = made.bert.calls
        assert (received.remote_sdp, answer.body) == (OFFER, OTHER)
        assert received.request.from_.user == made.users[0].number
        assert made.users[0].number in (received.request.headers.get("P-Asserted-Identity") or "")
        assert received.request.headers.get("Max-Forwards") == "69"
        assert received.call_id != call.call_id
        call.hangup()

    run(work)


def test_either_side_may_offer_again_and_send_info() -> None:
    async def work(made: Rig) -> None:
        call = await made.anna.call(made.users[1].number)
        await call.answered()
        (received,) = made.bert.calls
        asked: list[tuple[str, bytes]] = []

        def taken(request: Request) -> bytes:
            asked.append((request.method, request.body))
            return OTHER

        async def info(request: Request) -> int:
            asked.append((request.method, request.body))
            return 200

        for one, other in ((call, received), (received, call)):
            other.on_reinvite, other.on_info = taken, info
            assert (await one.reinvite(OFFER)).body == OTHER
            sent = await one.request_in_dialog("INFO", body=b"Signal=5\r\n", content_type="application/dtmf-relay")
            assert sent.status == 200
        assert asked == [("INVITE", OFFER), ("INFO", b"Signal=5\r\n")] * 2
        call.hangup()

    run(work)


@pytest.mark.parametrize("by_caller", [True, False])
def test_a_hang_up_ends_the_other_leg_and_tells_the_reason(by_caller: bool) -> None:
    async def work(made: Rig) -> None:
        call = await made.anna.call(made.users[1].number)
        await call.answered()
        received = made.bert.calls[0]
        ending, told = (call, received) if by_caller else (received, call)
        ending.hangup([("Reason", "Q.850;cause=16")])
        end = await told.ended()
        assert (end.by, end.how) == ("remote", "bye")
        assert isinstance(end.message, Request)
        assert end.message.headers.get("Reason") == "Q.850;cause=16"

    run(work)


def test_a_user_who_gives_up_cancels_the_callee_and_is_logged_for_both() -> None:
    async def work(made: Rig) -> None:
        await made.subscribe(*made.users[:2])
        made.bert.answer = lambda call: call.progress(180)
        call = await made.anna.call(made.users[1].number)
        rang = asyncio.Event()
        call.on_progress = lambda _response: rang.set()
        await rang.wait()
        assert made.system.phones.presence(made.users[1].id) == "BUSY"
        call.hangup()
        end = await made.bert.calls[0].ended()
        assert (end.by, end.how) == ("remote", "cancel")
        events = await made.pushed(2)
        assert [event["callLog"]["duration"] for event in events] == [0, 0]

    run(work)


@pytest.mark.parametrize(("status", "told"), [(486, 486), (603, 603), (401, 403), (407, 403), (302, 480), (500, 500)])
def test_a_refusal_of_the_callee_reaches_the_caller_where_it_makes_sense(status: int, told: int) -> None:
    async def work(made: Rig) -> None:
        made.bert.answer = lambda call: call.reject(status)
        assert await refused(made, made.users[1].number) == told

    run(work)


def test_an_offer_that_is_none_is_refused() -> None:
    async def work(made: Rig) -> None:
        assert await refused(made, made.users[1].number, sdp=b"not SDP at all") == 488
        assert made.bert.calls == []

    run(work)


def test_a_caller_without_an_offer_gets_one_and_is_heard() -> None:
    """Offer in the 200, answer in the ACK; RTP comes through the platform both ways."""

    async def work(made: Rig) -> None:
        here, there = await RtpSession.open(), await RtpSession.open()

        def answered(offer: bytes) -> bytes:
            agreement = answer_offer(offer, here.host, here.port)
            here.apply(agreement)
            return agreement.sdp

        def take(call: IncomingCall) -> None:
            agreement = answer_offer(call.remote_sdp, there.host, there.port)
            there.apply(agreement)
            call.answer(agreement.sdp)

        made.bert.answer = take
        call = await made.anna.call(made.users[1].number, sdp=None)
        call.on_offer = answered
        await call.answered()
        here.start(tone("here")[:8000])
        there.start(tone("there")[:8000])
        async with asyncio.timeout(3):
            while here.stats.received < 5 or there.stats.received < 5:
                await asyncio.sleep(0.01)
        call.hangup()
        await made.settled()
        here.close()
        there.close()

    run(work)


def test_a_callee_who_answers_our_offer_with_nonsense_ends_the_attempt() -> None:
    async def work(made: Rig) -> None:
        made.bert.answer = lambda call: call.answer(b"nonsense")
        assert await refused(made, made.users[1].number, sdp=None) == 480
        await made.bert.calls[0].ended()

    run(work)


def test_a_sip_address_of_another_host_is_called_where_it_says() -> None:
    async def work(made: Rig) -> None:
        made.outside.answer = pick_up
        port = made.carl.endpoint.port
        call = await made.anna.endpoint.invite(
            f"sip:somebody@127.0.0.1:{port}",
            from_=f"<sip:{made.users[0].name}>",
            sdp=OFFER,
            credentials=made.anna.credentials,
            destination=made.sip,
        )
        await call.answered()
        assert made.carl.calls[0].request.uri == f"sip:somebody@127.0.0.1:{port}"
        call.hangup()

    run(work)


def test_a_telephone_number_may_be_a_tel_uri() -> None:
    async def work(made: Rig) -> None:
        call = await made.anna.endpoint.invite(
            f"tel:{made.users[1].number}",
            from_=f"<sip:{made.users[0].name}>",
            sdp=OFFER,
            credentials=made.anna.credentials,
            destination=made.sip,
        )
        await call.answered()
        call.hangup()

    run(work)


def test_nobody_calls_as_somebody_else() -> None:
    async def work(made: Rig) -> None:
        await made.subscribe(made.users[0])
        wrong = Credentials(made.users[0].number, "wrong")
        assert await refused(made, made.users[1].number, credentials=wrong) == 407
        theirs = Credentials(made.users[2].number, made.users[2].password)
        call = await made.anna.call(made.users[1].number, credentials=theirs)
        await call.answered()
        assert made.bert.calls[0].request.from_.user == made.users[2].number
        call.hangup()
        await made.settled()
        assert made.receiver.pushes == []

    run(work)


def test_a_telephone_that_is_gone_does_not_hold_the_caller_nor_the_call_log() -> None:
    """Neither for half a minute when the caller waits, nor at all when the caller gives up."""

    async def work() -> None:
        async with rig() as made:
            loop = asyncio.get_running_loop()
            await made.subscribe(made.users[0])
            await made.bert.endpoint.stop()
            for wait in (True, False):
                began, known = loop.time(), len(made.receiver.pushes)
                call = await made.anna.call(made.users[1].number)
                while not call.heard:
                    await asyncio.sleep(0.01)
                if not wait:
                    call.hangup()
                end = await call.ended()
                assert end.code == (480 if wait else 487)
                async with asyncio.timeout(2):
                    while len(made.receiver.pushes) == known:
                        await asyncio.sleep(0.01)
                assert loop.time() - began < (4 if wait else 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "SILENCE_SECONDS", 0.5)
        asyncio.run(work())


def test_a_stop_in_the_middle_of_calls_ends_them() -> None:
    async def work() -> None:
        async with rig() as made:
            talking = await made.anna.call(made.users[1].number)
            await talking.answered()
            made.carl.answer = lambda call: call.progress(180)
            ringing = await made.anna.call(made.users[2].number)
            rang = asyncio.Event()
            ringing.on_progress = lambda _response: rang.set()
            await rang.wait()
            await made.system.phones.stop()
            async with asyncio.timeout(3):
                await asyncio.gather(
                    talking.ended(), ringing.ended(), *(p.calls[0].ended() for p in (made.bert, made.carl))
                )

    asyncio.run(work())


def test_a_busy_telephone_leaves_nothing_behind() -> None:
    async def work(made: Rig) -> None:
        made.bert.answer = busy
        for _ in range(20):
            assert await refused(made, made.users[1].number) == 486
        assert made.system.phones.presence(made.users[0].id) == "AVAILABLE"

    run(work)

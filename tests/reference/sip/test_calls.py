"""Calls between two endpoints on real sockets, both directions: how they begin and end, and what goes wrong in them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from harness.reference.sip import (
    Address,
    CallEnd,
    CallFailed,
    CallState,
    Credentials,
    DigestAuthenticator,
    IncomingCall,
    Request,
    Response,
    SipTimers,
)

from .support import FROM, SDP, Answerer, dial, drained, endpoint, run, until


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_call_is_answered_and_hung_up_by_either_side(transport: str, who: str) -> None:
    async def scenario() -> None:
        answerer = Answerer()
        async with endpoint() as a, endpoint(answerer) as b:
            rung: list[int] = []
            call = await dial(a, b, transport, headers=[("P-Asserted-Identity", "<sip:+44@x>"), ("X-A", "1")])
            call.on_progress = lambda response: rung.append(response.status)
            response = await call.answered()
            (far,) = answerer.calls
            assert (rung, response.body, call.remote_sdp, far.remote_sdp) == ([180], SDP, SDP, SDP)
            assert far.request.headers.get("P-Asserted-Identity") == "<sip:+44@x>"
            assert far.request.from_.display == "Alice"
            assert far.source.transport == transport
            near, other = (call, far) if who == "caller" else (far, call)
            reason = [("Reason", 'Q.850;cause=16;text="normal"')]
            assert near.hangup(reason)
            end = await other.ended()
            assert (end.by, end.how) == ("remote", "bye")
            assert isinstance(end.message, Request)
            assert end.message.headers.get("Reason") == reason[0][1]
            assert (await near.ended()).by == "local"
            assert not near.hangup()
            await drained(a)
            await drained(b)
            assert a.answered == b.answered == 1

    run(scenario())


def test_a_refusal_reaches_the_caller_with_its_headers() -> None:
    async def scenario() -> None:
        def busy(call: IncomingCall) -> None:
            assert call.reject(486, "Gone fishing", [("Retry-After", "7")])
            assert not call.answer(SDP)
            assert not call.progress(180)

        async with endpoint() as a, endpoint(busy) as b:
            call = await dial(a, b)
            with pytest.raises(CallFailed) as caught:
                await call.answered()
            failure = caught.value
            assert (failure.code, failure.reason, failure.cause) == (486, "Gone fishing", "refused")
            assert failure.response is not None
            assert failure.response.headers.get("Retry-After") == "7"
            assert (await call.ended()).how == "failed"
            await drained(a)
            await drained(b)

    run(scenario())


def test_hanging_up_before_the_answer_cancels() -> None:
    async def scenario() -> None:
        ends: list[CallEnd] = []

        def ring(call: IncomingCall) -> None:
            call.on_end = ends.append
            call.progress(183, SDP)

        async with endpoint() as a, endpoint(ring) as b:
            call = await dial(a, b)
            await until(lambda: call.state is CallState.RINGING, lambda: call.state)
            assert call.remote_sdp == SDP
            call.hangup([("Reason", "SIP;cause=200")])
            with pytest.raises(CallFailed) as caught:
                await call.answered()
            assert (caught.value.code, caught.value.cause) == (487, "cancelled")
            await until(lambda: bool(ends), lambda: ends)
            assert (ends[0].by, ends[0].how) == ("remote", "cancel")
            assert isinstance(ends[0].message, Request)
            assert ends[0].message.headers.get("Reason") == "SIP;cause=200"
            await drained(a)
            await drained(b)

    run(scenario())


def test_the_ring_timeout_cancels() -> None:
    async def scenario() -> None:
        async with endpoint() as a, endpoint(lambda call: call.progress(180)) as b:
            call = await dial(a, b, ring_timeout=0.1)
            with pytest.raises(CallFailed) as caught:
                await call.answered()
            assert (caught.value.code, caught.value.cause) == (487, "ring-timeout")

    run(scenario())


def test_a_call_that_nobody_answers_is_refused_in_the_end() -> None:
    async def scenario() -> None:
        timers = SipTimers(t1=0.02, t2=0.08, t4=0.1, ring_limit=0.1)
        async with endpoint() as a, endpoint(lambda _call: None, timers=timers) as b:
            with pytest.raises(CallFailed) as caught:
                await (await dial(a, b)).answered()
            assert caught.value.code == 480

    run(scenario())


def test_a_call_that_nobody_ends_is_ended_at_the_limit() -> None:
    async def scenario() -> None:
        timers = SipTimers(t1=0.02, t2=0.08, t4=0.1, call_limit=0.2)
        async with endpoint() as a, endpoint(Answerer(), timers=timers) as b:
            call = await dial(a, b)
            await call.answered()
            assert (await call.ended()).by == "remote"
            await drained(b)

    run(scenario())


def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    async def scenario() -> None:
        calls: list[IncomingCall] = []
        async with endpoint() as a, endpoint(calls.append) as b:
            call = await dial(a, b)
            await until(lambda: bool(calls), lambda: calls)
            b.on_receive = lambda m, _s: None if isinstance(m, Request) and m.method == "CANCEL" else m
            call.hangup()
            calls[0].answer(SDP)
            end = await calls[0].ended()
            assert (end.by, end.how) == ("remote", "bye")
            with pytest.raises(CallFailed):
                await call.answered()
            b.on_receive = None
            await drained(a)

    run(scenario())


@pytest.mark.parametrize(("transport", "code"), [("udp", 408), ("tcp", 503)])
def test_a_dead_port_fails_the_call(transport: str, code: int) -> None:
    async def scenario() -> None:
        async with endpoint() as a:
            call = await a.invite(f"sip:x@127.0.0.1:1;transport={transport}", from_=FROM, sdp=SDP)
            with pytest.raises(CallFailed) as caught:
                await call.answered()
            assert (caught.value.code, caught.value.response) == (code, None)
            await drained(a)

    run(scenario())


def test_a_host_without_address_fails_the_call() -> None:
    async def scenario() -> None:
        async with endpoint() as a:
            call = await a.invite("sip:x@no-such-host.invalid", from_=FROM, sdp=SDP)
            with pytest.raises(CallFailed) as caught:
                await call.answered()
            assert caught.value.code == 503
            await drained(a)

    run(scenario())


def test_an_invite_answers_a_challenge_and_gives_up_on_a_wrong_password() -> None:
    async def scenario() -> None:
        authenticator = DigestAuthenticator("home", lambda user, _realm: {"alice": "secret"}.get(user), proxy=True)
        users: list[str] = []

        def guarded(call: IncomingCall) -> None:
            users.append(authenticator.require(call.request))
            call.answer(SDP)

        async with endpoint() as a, endpoint(guarded) as b:
            call = await dial(a, b, credentials=Credentials("alice", "secret"))
            await call.answered()
            assert users == ["alice"]
            for credentials in (Credentials("alice", "wrong"), None):
                with pytest.raises(CallFailed) as caught:
                    await (await dial(a, b, credentials=credentials)).answered()
                assert caught.value.code == 407
            call.hangup()

    run(scenario())


def test_everything_gets_through_where_a_third_of_the_datagrams_is_lost() -> None:
    async def scenario() -> None:
        answerer = Answerer()
        timers = SipTimers(t1=0.05, t2=0.2, t4=0.3)
        async with endpoint(timers=timers) as a, endpoint(answerer, timers=timers) as b:
            counter = 0

            def lose(message: Request | Response, _source: Address) -> Request | Response | None:
                nonlocal counter
                counter += 1
                return None if counter % 3 == 1 else message

            a.on_receive = b.on_receive = lose
            calls = [await dial(a, b) for _ in range(10)]
            await asyncio.gather(*(call.answered() for call in calls))
            assert len(answerer.calls) == 10
            for call in calls:
                call.hangup()
            await asyncio.gather(*(call.ended() for call in answerer.calls))
            a.on_receive = b.on_receive = None
            await drained(a)
            await drained(b)

    run(scenario())


def test_an_answer_without_ack_is_repeated_and_then_hung_up() -> None:
    async def scenario() -> None:
        answerer = Answerer()
        async with endpoint() as a, endpoint(answerer) as b:
            answers: list[int] = []
            b.on_receive = lambda m, _s: None if isinstance(m, Request) and m.method == "ACK" else m

            def count(message: Request | Response, _source: Address) -> Request | Response:
                if isinstance(message, Response) and message.status == 200:
                    answers.append(message.status)
                return message

            a.on_receive = count
            call = await dial(a, b)
            await call.answered()
            assert (await call.ended()).how == "bye"
            assert answerer.calls[0].end is not None
            assert answerer.calls[0].end.how == "no-ack"
            assert len(answers) > 5

    run(scenario())


def test_hanging_up_before_the_ack_waits_for_it() -> None:
    async def scenario() -> None:
        order: list[str] = []

        def curt(call: IncomingCall) -> None:
            call.answer(SDP)
            call.hangup()

        def note(message: Request | Response, _source: Address) -> Request | Response:
            order.append(message.method if isinstance(message, Request) else str(message.status))
            return message

        async with endpoint() as a, endpoint(curt) as b:
            b.on_receive = note
            call = await dial(a, b)
            await call.answered()
            assert (await call.ended()).by == "remote"
            assert order[:2] == ["INVITE", "ACK"]

    run(scenario())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_handler_that_fails_is_answered_500_or_hung_up_and_logged(
    when: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async def broken(call: IncomingCall) -> None:
            if when == "after":
                call.answer(SDP)
            await asyncio.sleep(0)
            raise RuntimeError("on purpose")

        async with endpoint() as a, endpoint(broken) as b:
            call = await dial(a, b)
            if when == "before":
                with pytest.raises(CallFailed) as caught:
                    await call.answered()
                assert caught.value.code == 500
            else:
                await call.answered()
                assert (await call.ended()).by == "remote"
        assert "on purpose" in caplog.text

    with caplog.at_level(logging.ERROR, "ringtrue.sip"):
        run(scenario())


def test_failing_callbacks_end_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("on purpose")

    async def scenario() -> None:
        answerer = Answerer()
        async with endpoint() as a, endpoint(answerer) as b:
            call = await dial(a, b)
            call.on_progress = call.on_end = fail
            await call.answered()
            far = answerer.calls[0]
            far.on_info = far.on_reinvite = far.on_bye = far.on_end = fail
            assert (await call.request_in_dialog("INFO")).status == 500
            with pytest.raises(CallFailed) as caught:
                await call.reinvite(SDP)
            assert caught.value.code == 500
            call.hangup()
            await far.ended()

    with caplog.at_level(logging.CRITICAL, "ringtrue.sip"):
        run(scenario())

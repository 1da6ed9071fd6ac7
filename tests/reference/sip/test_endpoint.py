"""What an endpoint is beyond one call, on real sockets: second legs, its limit, registrations, its end, its timers."""

from __future__ import annotations

import asyncio

import pytest

from harness.reference.sip import (
    CallFailed,
    Credentials,
    DigestAuthenticator,
    IncomingCall,
    Registrar,
    SipTimers,
)

from .support import FAST, Answerer, acknowledged, dial, drained, endpoint, run


def test_stopping_ends_every_call_and_tells_the_other_side() -> None:
    async def scenario() -> None:
        answerer = Answerer()
        async with endpoint() as a, endpoint(answerer) as b:
            talking = await dial(a, b)
            await talking.answered()
            await acknowledged(answerer.calls[0])
            await b.stop()
            assert (await talking.ended()).by == "remote"
            assert b.stats().dialogs == 0

    run(scenario())


def test_a_back_to_back_call_is_comfortable() -> None:
    async def scenario() -> None:
        answerer = Answerer()

        async def connect(call: IncomingCall) -> None:
            leg = await middle.invite(f"sip:bob@127.0.0.1:{b.port}", from_=call.request.from_, sdp=call.remote_sdp)
            leg.on_progress = lambda response: call.progress(response.status)
            call.on_end = lambda _end: leg.hangup()
            leg.on_end = lambda _end: call.hangup()
            try:
                await leg.answered()
            except CallFailed as failure:
                call.reject(failure.code)
            else:
                call.answer(leg.remote_sdp)

        async with endpoint() as a, endpoint(connect) as middle, endpoint(answerer) as b:
            for hang_up_far in (False, True):
                call = await dial(a, middle)
                await call.answered()
                far = answerer.calls[-1]
                assert far.request.from_.user == "alice"
                (far if hang_up_far else call).hangup()
                await asyncio.gather(call.ended(), far.ended())
            for party in (a, middle, b):
                await drained(party)

    run(scenario())


def test_the_failure_of_a_second_leg_refuses_the_first_with_its_code() -> None:
    async def scenario() -> None:
        async def connect(call: IncomingCall) -> None:
            leg = await middle.invite(f"sip:bob@127.0.0.1:{b.port}", from_=call.request.from_, sdp=call.remote_sdp)
            await leg.answered()

        def busy(call: IncomingCall) -> None:
            call.reject(486)

        async with endpoint() as a, endpoint(connect) as middle, endpoint(busy) as b:
            with pytest.raises(CallFailed) as caught:
                await (await dial(a, middle)).answered()
            assert caught.value.code == 486

    run(scenario())


def test_calls_past_the_limit_are_refused() -> None:
    async def scenario() -> None:
        answerer = Answerer()
        async with endpoint() as a, endpoint(answerer, max_calls=1) as b:
            await (await dial(a, b)).answered()
            with pytest.raises(CallFailed) as caught:
                await (await dial(a, b)).answered()
            assert caught.value.code == 503

    run(scenario())


def test_an_endpoint_registers_with_another() -> None:
    async def scenario() -> None:
        registrar = Registrar(DigestAuthenticator("home", lambda _u, _r: "secret"))
        async with endpoint() as a, endpoint(on_register=registrar.handle, bindings=lambda: len(registrar)) as b:
            contact = [("Contact", f"<sip:alice@127.0.0.1:{a.port}>")]
            uri, aor = f"sip:127.0.0.1:{b.port}", f"<sip:alice@127.0.0.1:{b.port}>"
            right, wrong = Credentials("alice", "secret"), Credentials("alice", "no")
            assert (await a.request("REGISTER", uri, aor, aor, contact, credentials=wrong)).status == 401
            assert b.stats().bindings == 0
            assert (await a.request("REGISTER", uri, aor, aor, contact, credentials=right)).status == 200
            assert b.stats().bindings == 1
            assert (await a.request("REGISTER", f"sip:127.0.0.1:{a.port}", aor)).status == 405

    run(scenario())


def test_timers_are_those_of_the_rfc_by_default() -> None:
    timers = SipTimers()
    assert (timers.t1, timers.t2, timers.t4, timers.timeout) == (0.5, 4.0, 5.0, 32.0)
    assert FAST.timeout < 2

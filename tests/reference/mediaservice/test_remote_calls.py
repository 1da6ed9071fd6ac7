"""Calls of the cloud SIP user agent: announced, rung, answered, placed and hung up by the application."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.reference.mediaservice.calls.remote_sdp import DeviceMedia, read_media
from harness.reference.sip import CallFailed, OutgoingCall
from tests.reference.mediaservice.bench import Bench, Scenario
from tests.reference.mediaservice.phones import Party, picked_up, refuses, until

Against = Callable[[Scenario], None]

CRYPTO = {"id": 1, "suite": "AES_CM_128_HMAC_SHA1_80", "config": "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"}
DEVICE = {"codec": "PCMU", "receiveIp": "127.0.0.9", "receivePort": 30000, "telephoneEventPayloadType": 99}
OFFER = DeviceMedia("PCMA", "127.0.0.8", 20000, 101, ((1, CRYPTO["suite"], CRYPTO["config"]),))  # type: ignore[arg-type]


def statuses(party: Party) -> list[int]:
    call = party.call
    assert isinstance(call, OutgoingCall)
    return [one.status for one in call.provisionals]


@pytest.mark.parametrize("twin", ["", "jwt"])
def test_an_incoming_call_is_announced_rung_answered_and_hung_up(against: Against, twin: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newRemoteCall"] = {"sessionReferenceId": "mine"}
        party = await bench.start("ua5", sdp=OFFER.sdp())
        told = await bench.app.wait("newRemoteCall")
        assert told["callId"] == party.call.call_id
        assert told["destinationUri"] == party.request.uri
        assert (told["sourceUser"], told["codec"], told["domain"]) == ("alice", "PCMA", bench.table["domain"])
        assert (told["remoteRtpIp"], told["remoteRtpPort"], told["telephoneEventPayloadType"]) == (
            "127.0.0.8",
            20000,
            101,
        )
        assert told["crypto"] == [CRYPTO]
        assert statuses(party) == []
        await bench.refused(f"sendremotecallringback{twin}", replyId="unheard-of")
        await bench.done(f"sendremotecallringback{twin}", replyId=told["replyId"])
        await until(lambda: statuses(party) == [180], "ringing")
        await bench.done(f"answerremotecall{twin}", replyId=told["replyId"], crypto=[CRYPTO], **DEVICE)
        assert isinstance(party.call, OutgoingCall)
        await party.call.answered()
        media = read_media(party.call.remote_sdp)
        assert (media.codec, media.address, media.port, media.event) == ("PCMU", "127.0.0.9", 30000, 99)
        assert [one[1] for one in media.crypto] == [CRYPTO["suite"]]
        answered = await bench.app.wait("callAnswered", sessionReferenceId="mine")
        await bench.refused(f"answerremotecall{twin}", replyId=told["replyId"], **DEVICE)
        await bench.done(f"hangupcall{twin}", replyId=answered["replyId"])
        assert await party.ended() == "remote bye"
        completed = await bench.app.wait("sessionCompleted", sessionReferenceId="mine")
        assert completed["traceId"] == told["traceId"] == answered["traceId"]

    against(scenario)


def test_a_reference_that_an_operation_gave_is_not_undone_by_the_answer_to_a_callback_before(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        async def answered_first(told: dict[str, object]) -> dict[str, object]:
            await bench.done("answerremotecall", replyId=told["replyId"], sessionReferenceId="later", **DEVICE)
            await bench.app.wait("callAnswered", sessionReferenceId="later")
            return {"sessionReferenceId": "earlier"}

        bench.app.answers["newRemoteCall"] = answered_first
        party = await bench.start("ua5", sdp=OFFER.sdp())
        answered = await bench.app.wait("callAnswered")
        await bench.done("hangupcall", replyId=answered["replyId"])
        assert await party.ended() == "remote bye"
        assert (await bench.app.wait("sessionCompleted"))["sessionReferenceId"] == "later"

    against(scenario)


def test_hangupcall_before_the_answer_is_busy_and_touches_no_other_call(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        first, second = await bench.start("ua1"), await bench.start("ua2")
        await bench.app.wait("newRemoteCall", 2)
        told = {one["callId"]: one for one in bench.app.all("newRemoteCall")}
        await bench.done("hangupcall", replyId=told[first.call.call_id]["replyId"])
        with pytest.raises(CallFailed) as caught:
            await picked_up(first)
        assert caught.value.code == 486
        assert not second.call.over
        second.call.hangup()
        await bench.app.wait("sessionCompleted", 2)

    against(scenario)


def test_a_remote_call_that_nobody_wants_to_hear_of_is_refused(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newRemoteCall"] = 500
        assert await bench.phones.refused("ua", bench.sip) == 480
        await bench.app.wait("sessionCompleted")

    against(scenario)


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "GSM"])
def test_a_placed_call_offers_the_device_and_is_told_at_its_own_base(against: Against, codec: str) -> None:
    async def scenario(bench: Bench) -> None:
        async def answer(party: Party) -> None:
            media = DeviceMedia(codec, "127.0.0.7", 22222)
            party.call.answer(media.sdp())  # type: ignore[attr-defined]

        await bench.done(
            "placeremotecall",
            **DEVICE | {"codec": codec},
            destinationUri=bench.phones.phone("bob", answer),
            sourceUser="12345",
            sessionReferenceId="placed",
            callbackBaseUrl=f"{bench.app.url}/of/its/own",
        )
        bob = await bench.phones.called("bob")
        offered = read_media(bob.request.body)
        assert (offered.codec, offered.address, offered.port, offered.event) == (codec, "127.0.0.9", 30000, 99)
        assert bob.request.from_.user == "12345"
        answered = await bench.app.wait("callAnswered", sessionReferenceId="placed")
        assert (answered["codec"], answered["remoteRtpIp"], answered["remoteRtpPort"]) == (codec, "127.0.0.7", "22222")
        await bench.done("hangupcalljwt", replyId=answered["replyId"])
        assert await bob.ended() == "remote bye"
        await bench.app.wait("sessionCompleted", sessionReferenceId="placed")
        assert {one.path.rpartition("/")[0] for one in bench.app.received} == {"/app/of/its/own"}

    against(scenario)


def test_a_placed_call_that_is_refused_only_completes(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        busy = bench.phones.phone("busy", refuses(486))
        await bench.done("placeremotecall", **DEVICE, destinationUri=busy, sourceUser="1")
        await bench.app.wait("sessionCompleted")
        assert bench.app.names() == ["sessionCompleted"]

    against(scenario)


def test_a_remote_party_that_hangs_up_completes_the_session(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        party = await bench.start("ua")
        told = await bench.app.wait("newRemoteCall")
        await bench.done("answerremotecall", replyId=told["replyId"], **DEVICE)
        await picked_up(party)
        await party.bye()
        await bench.app.wait("sessionCompleted", sessionId=told["sessionId"])
        assert bench.app.names("callEvent") == []

    against(scenario)

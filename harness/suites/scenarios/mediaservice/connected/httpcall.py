"""Steps on the action httpcall: a device of an application, known to the platform by the media that an answer describes.

The device is an RTP probe of ours; the caller speaks one codec only, so that there is nothing to choose.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pytest_bdd import given, when

from harness.checks.flows.values import same_number
from harness.drivers.rtp import RtpProbe
from harness.drivers.rtp.sdp import AudioMedia, audio_of
from harness.suites.scenario import Scenario
from harness.suites.scenarios.mediaservice.connected.parties import SOUND_MS, SOUND_SECONDS, Parties
from harness.suites.scenarios.mediaservice.world import World, members
from harness.suites.scenarios.telephony.agents import own_address
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import SipMessage
from harness.verdicts import Reason

_CODEC = "PCMU"
# SIPp fills in where the caller receives.
_CALLER = "\n".join(
    [
        "v=0", "o=ringtrue 1 1 IN IP4 [probe_ip]", "s=-", "c=IN IP4 [probe_ip]", "t=0 0",
        "m=audio [probe_port] RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=sendrecv",
    ]
)  # fmt: skip


@dataclass
class Device:
    """A device of the application."""

    probe: RtpProbe
    scenario: Scenario

    def offer(self, parties: Parties) -> AudioMedia | None:
        """The media that the platform offers the caller once it is connected with somebody else, by a re-INVITE."""
        caller = parties.phone("the caller")
        caller.agent.wait_for(_is_reinvite, self.scenario.plan.target.timing.callback)
        offers = [audio_of(one.text) for one in caller.messages if _is_reinvite(one)]
        return next((one for one in reversed(offers) if one is not None), None)


@pytest.fixture
def device(scenario: Scenario) -> Device:
    """The device that a scenario connects its caller with."""
    probe = RtpProbe("device", scenario.timeline, host=own_address(scenario))
    scenario.at_end(probe.close)
    return Device(probe, scenario)


@given("callEvent is answered with httpcall to a device that speaks PCMU")
def call_event_connects(ms: World, device: Device) -> None:
    media = {"codec": _CODEC, "receiveIp": device.probe.host, "receivePort": str(device.probe.port)}
    ms.answers.set("callEvent", {"action": "httpcall", **media})


@when("a caller who speaks PCMU calls the IVR")
def call_in_one_codec(ms: World) -> None:
    ms.dial(body=_CALLER)


@decides("the device hears the caller")
def device_hears(parties: Parties, device: Device, clause: str) -> None:
    device.offer(parties)
    parties.phone("the caller").speak()
    heard = device.probe.wait_sound(SOUND_MS, SOUND_SECONDS)
    words = "the party that remains is not connected with the device"
    parties.shows("the caller", clause, heard, words, expected="sound at the device", seen="silence")


@decides("the offer to the caller has the device's codec")
def offered_codec(parties: Parties, device: Device, clause: str) -> None:
    offer = _offer(parties, device, clause)
    if offer is not None:
        seen = list(offer.codecs.values())
        words = "the SDP for httpcall does not offer the codec of the answer"
        parties.scenario.check(clause, _CODEC in seen, words, expected=_CODEC, seen=seen)


@decides("the offer to the caller has the device's address")
def offered_address(parties: Parties, device: Device, clause: str) -> None:
    offer = _offer(parties, device, clause)
    if offer is not None:
        words = "the SDP for httpcall has another address than receiveIp"
        parties.scenario.check(
            clause, offer.host == device.probe.host, words, expected=device.probe.host, seen=offer.host
        )


@decides("the offer to the caller has the device's port")
def offered_port(parties: Parties, device: Device, clause: str) -> None:
    offer = _offer(parties, device, clause)
    if offer is not None:
        words = "the SDP for httpcall has another port than receivePort"
        parties.scenario.check(
            clause, offer.port == device.probe.port, words, expected=device.probe.port, seen=offer.port
        )


@decides("callAnswered tells of the caller's media")
def media_told(parties: Parties, clause: str) -> None:
    caller = parties.phone("the caller").probe
    parties.ms.wait_until(lambda: any(members(one).get("codec") for one in parties.ms.callbacks("callAnswered")))
    told = [members(one) for one in parties.ms.callbacks("callAnswered") if members(one).get("codec") is not None]
    if not told:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "no callAnswered tells of media")
        return
    seen = (told[-1].get("codec"), told[-1].get("remoteRtpIp"), told[-1].get("remoteRtpPort"))
    kept = seen[:2] == (_CODEC, caller.host) and same_number(seen[2], caller.port)
    words = "callAnswered tells of other media than the caller's SDP"
    parties.scenario.check(clause, kept, words, expected=(_CODEC, caller.host, caller.port), seen=seen)


def _offer(parties: Parties, device: Device, clause: str) -> AudioMedia | None:
    offer = device.offer(parties)
    if offer is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "the caller was sent no SDP for the device")
    return offer


def _is_reinvite(message: SipMessage) -> bool:
    return message.direction == "in" and message.start_line.startswith("INVITE ")

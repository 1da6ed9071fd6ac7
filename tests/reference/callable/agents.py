"""SIP parties around the platform, by SIPp and the RTP probe of the drivers; used by the tests beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.drivers.rtp import AudioMedia, RtpProbe, audio_of
from harness.drivers.sipp import SippAgent, SippRunner
from harness.drivers.sipp.outcome import SippResult
from harness.redact import Redactor
from harness.timeline import SipMessage, Timeline


class Agents:
    """Starts parties; `timeline` has what they saw."""

    def __init__(self, folder: Path) -> None:
        self.timeline = Timeline("scenario", path=folder / "timeline.jsonl", redactor=Redactor())
        self.runner = SippRunner(folder / "sipp", self.timeline)

    def answering(self, name: str, **options: Any) -> SippAgent:
        """A phone that rings, answers, and waits for the other side to hang up (or hangs up after `hold` ms)."""
        return self.start("uas_answer.xml", name, **options)

    def start(self, script: str, name: str, *, hold: int | None = None, **options: Any) -> SippAgent:
        variables = dict(options.pop("variables", {}))
        if hold is not None:
            variables["hold"] = hold
        return self.runner.start(script, name, variables=variables, **({"timeout": 10} | options))

    def caller(self, name: str, remote: str, called: str, *, hold: int = 100, **options: Any) -> SippAgent:
        """A phone that calls, and hangs up `hold` ms after the answer."""
        variables = dict(options.pop("variables", {})) | {"service": called}
        return self.start("uac_call.xml", name, remote=remote, hold=hold, variables=variables, **options)

    def probe(self, name: str) -> RtpProbe:
        return RtpProbe(name, self.timeline)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def invite_to(agent: SippAgent, timeout: float = 5.0) -> SipMessage:
    """The INVITE that reached the agent."""
    message = agent.wait_for(lambda one: one.direction == "in" and one.text.startswith("INVITE"), timeout)
    assert message is not None, f"no INVITE within {timeout} s"
    return message


def final_of(result: SippResult) -> int:
    """The first final status that the calling agent got for its INVITE."""
    for message in result.messages:
        words = message.text.split()
        if message.direction == "in" and words[0] == "SIP/2.0" and int(words[1]) >= 200:
            return int(words[1])
    raise AssertionError(f"no final answer: {result.detail}; {[one.text[:40] for one in result.messages]}")


def starts(result: SippResult) -> list[str]:
    """Direction and method or status of each message."""
    return [f"{one.direction} {one.start_line.replace('SIP/2.0', '').split()[0]}" for one in result.messages]


def media_of(message: SipMessage) -> AudioMedia:
    """The audio of a message's SDP."""
    media = audio_of(message.text.partition("\r\n\r\n")[2])
    assert media is not None
    return media

"""Runs SIPp as a SIP client of the platform: registrations and calls with digest; used by the tests beside this file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DOMAIN = "sip.apidaze.example"

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed (Debian: sip-tester)")

_SCENARIO = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="{name}">\n{steps}\n</scenario>\n'

_REGISTER = """<send><![CDATA[
REGISTER sip:{domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag=[call_number]
To: <sip:{user}@{domain}>
Call-ID: [call_id]
CSeq: {seq} REGISTER
Contact: <sip:{user}@[local_ip]:[local_port]>
Expires: {expires}
{auth}Content-Length: 0

]]></send>"""

_INVITE = """<send retrans="500"><![CDATA[
INVITE sip:{dial}@{domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag=[call_number]
To: <sip:{dial}@{domain}>
Call-ID: [call_id]
CSeq: {seq} INVITE
Contact: <sip:{user}@[local_ip]:[local_port]>
{auth}Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 {media_ip}
t=0 0
m=audio {media_port} RTP/AVP {payload} 101
a=rtpmap:{payload} {codec}/8000
a=rtpmap:101 telephone-event/8000
]]></send>"""

# The ACK of a refusal belongs to the INVITE's transaction: its branch is that of the message so many before it.
_IN_DIALOG = """<send{options}><![CDATA[
{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{back}]
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag=[call_number]
To: <sip:{dial}@{domain}>[peer_tag_param]
Call-ID: [call_id]
CSeq: {seq} {method}
Content-Length: 0

]]></send>"""

_OK_TO_BYE = """<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"""


def _recv(code: int, extra: str = "") -> str:
    return f'<recv response="{code}"{extra}></recv>'


def _provisional() -> str:
    return _recv(100, ' optional="true"') + "\n" + _recv(180, ' optional="true"')


@dataclass(frozen=True)
class Phone:
    """A SIP client with an account's user name and password; `login`, if given, is the user name of the digest.

    `folder` holds scenario and traces.
    """

    address: str
    username: str
    password: str
    folder: Path
    transport: str = "u1"
    domain: str = DOMAIN
    login: str | None = None

    def register(self, final: int = 200, *, expires: int = 60) -> None:
        """Register, be challenged, answer, and expect `final`."""
        values = {"domain": self.domain, "user": self.username, "expires": expires}
        steps = [
            _REGISTER.format(seq=1, auth="", **values),
            _recv(401, ' auth="true"'),
            _REGISTER.format(seq=2, auth="[authentication]\n", **values),
            _recv(final),
        ]
        self._run("register", steps)

    def register_without_credentials(self, final: int) -> None:
        """Register once and expect `final`."""
        values = {"domain": self.domain, "user": self.username, "expires": 60}
        self._run("register-once", [_REGISTER.format(seq=1, auth="", **values), _recv(final)])

    def call(
        self,
        final: int = 200,
        *,
        then: str = "bye-from-platform",
        media: tuple[str, int] | None = None,
        codec: str = "0 PCMU",
    ) -> None:
        """Call, be challenged, answer, and expect `final`; after 200 hang up, or wait for the platform to.

        `codec` is the payload type and the name that are offered.
        """
        media_ip, media_port = media or ("[local_ip]", 9)
        values: dict[str, Any] = {
            "domain": self.domain,
            "user": self.username,
            "dial": "start",
            "media_ip": media_ip,
            "media_port": media_port,
            "payload": codec.partition(" ")[0],
            "codec": codec.partition(" ")[2],
        }

        def in_dialog(method: str, seq: int, options: str = "", back: str = "") -> str:
            return _IN_DIALOG.format(method=method, seq=seq, options=options, back=back, **values)

        steps = [
            _INVITE.format(seq=1, auth="", **values),
            _recv(100, ' optional="true"'),
            _recv(407, ' auth="true"'),
            in_dialog("ACK", 1, back="-3").replace("[next_url]", f"sip:start@{self.domain}"),
            _INVITE.format(seq=2, auth="[authentication]\n", **values),
            _provisional(),
            _recv(final, ' rrs="true"'),
            in_dialog("ACK", 2)
            if final == 200
            else in_dialog("ACK", 2, back="-4").replace("[next_url]", f"sip:start@{self.domain}"),
        ]
        if final == 200 and then == "bye-from-platform":
            steps.append(_OK_TO_BYE)
        elif then == "reinvite":
            again = _INVITE.replace("sip:{dial}@{domain} SIP/2.0", "[next_url] SIP/2.0").replace(
                "To: <sip:{dial}@{domain}>", "To: <sip:{dial}@{domain}>[peer_tag_param]"
            )
            again = again.replace("a=rtpmap:{payload}", "a=sendonly\na=rtpmap:{payload}")
            steps += [again.format(seq=3, auth="", **values), _provisional(), _recv(200, ' rrs="true"')]
            steps += [in_dialog("ACK", 3), in_dialog("BYE", 4, ' retrans="500"'), _recv(200)]
        elif final == 200:
            steps += [in_dialog("BYE", 3, ' retrans="500"'), _recv(200)]
        self._run("call", steps)

    def call_without_offer(self, media: tuple[str, int]) -> None:
        """Call without SDP, and answer the platform's offer in the ACK."""
        values: dict[str, Any] = {"domain": self.domain, "user": self.username, "dial": "start"}
        values |= {"media_ip": media[0], "media_port": media[1], "payload": "0", "codec": "PCMU"}
        head, sdp = _INVITE.split("Content-Type: ", 1)
        empty = head + "Content-Length: 0\n\n]]></send>"
        ack = _IN_DIALOG.format(method="ACK", seq=1, options="", back="-3", **values)
        answering = _IN_DIALOG.format(method="ACK", seq=2, options="", back="", **values)
        steps = [
            empty.format(seq=1, auth="", **values),
            _recv(100, ' optional="true"'),
            _recv(407, ' auth="true"'),
            ack.replace("[next_url]", f"sip:start@{self.domain}"),
            empty.format(seq=2, auth="[authentication]\n", **values),
            _provisional(),
            _recv(200, ' rrs="true"'),
            answering.replace("Content-Length: 0\n\n]]></send>", "Content-Type: " + sdp.format(**values)),
            _OK_TO_BYE,
        ]
        self._run("call", steps)

    def cancelled_call(self) -> None:
        """Call and cancel while the platform is still busy with the script."""
        values: dict[str, Any] = {
            "domain": self.domain,
            "user": self.username,
            "dial": "start",
            "media_ip": "[local_ip]",
            "media_port": 9,
            "payload": "0",
            "codec": "PCMU",
        }
        ack = _IN_DIALOG.format(method="ACK", seq=1, options="", back="-3", **values)
        cancel = _IN_DIALOG.format(method="CANCEL", seq=2, options="", back="-2", **values).replace(
            "[peer_tag_param]", ""
        )
        uri = f"sip:start@{self.domain}"
        steps = [
            _INVITE.format(seq=1, auth="", **values),
            _recv(100, ' optional="true"'),
            _recv(407, ' auth="true"'),
            ack.replace("[next_url]", uri),
            _INVITE.format(seq=2, auth="[authentication]\n", **values),
            _recv(100),
            cancel.replace("[next_url]", uri),
            _recv(200),
            _recv(487),
            ack.replace("[next_url]", uri)
            .replace("CSeq: 1 ", "CSeq: 2 ")
            .replace("branch=[branch-3]", "branch=[branch-5]"),
        ]
        self._run("cancelled", steps)

    def trace(self, name: str) -> str:
        """The messages of the scenario `register` or `call` so far."""
        file = self.folder / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def _run(self, name: str, steps: list[str]) -> None:
        scenario = self.folder / f"{name}.xml"
        scenario.write_text(_SCENARIO.format(name=name, steps="\n".join(steps)))
        messages = self.folder / f"{name}.log"
        messages.unlink(missing_ok=True)
        command = [
            "sipp",
            self.address,
            "-sf",
            str(scenario),
            "-m",
            "1",
            "-r",
            "1000",
            "-nostdin",
            "-t",
            self.transport,
        ]
        command += ["-au", self.login or self.username, "-ap", self.password, "-i", "127.0.0.1"]
        command += [
            "-timeout",
            "8",
            "-timeout_error",
            "-recv_timeout",
            "7000",
            "-trace_msg",
            "-message_file",
            str(messages),
        ]
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15, cwd=self.folder, check=False
        )
        assert ended.returncode == 0, f"sipp ended {ended.returncode}\n{ended.stderr[-2000:]}\n{self.trace(name)}"


MakePhone = Callable[..., Phone]

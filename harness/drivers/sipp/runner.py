"""Starts SIPp agents for one scenario: chooses ports, fills in what scripts need, retries when a port was taken.

Scenario steps call `run` for a stimulus and `start` for an agent that stays. It hands agents out and judges nothing.
"""

from __future__ import annotations

import math
import re
import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from harness.drivers.sipp.agent import Order, SippAgent
from harness.drivers.sipp.outcome import EXIT_BIND, SippResult
from harness.drivers.sipp.process import SippError, find_binary, free_port, local_host, split_address
from harness.drivers.sipp.script import Script, ScriptError
from harness.timeline import Timeline

TRANSPORTS = {"udp": "u1", "tcp": "t1"}
PORT_TRIES = 5
# How long to wait for a port that was asked for, between two tries; seconds.
PORT_PAUSE = 0.2
_NAME_LINE = "User-Agent: ringtrue"


class SippRunner:
    """Runs scripts under `folder` (one folder per agent) and writes what they see to `timeline`.

    `commands`: the command lines of the agents so far, without secrets.

    Raises:
        SippMissing: there is no SIPp; its message says how to get it.
    """

    def __init__(
        self, folder: Path, timeline: Timeline, *, binary: str | Path | None = None, keep: bool = False
    ) -> None:
        self._folder = folder
        self._timeline = timeline
        self._keep = keep
        self._binary = find_binary(binary)
        self.commands: list[str] = []

    def run(
        self,
        script: str | Path,
        agent: str,
        *,
        remote: str,
        transport: str = "udp",
        user: str | None = None,
        password: str | None = None,
        variables: Mapping[str, str | int] | None = None,
        local_ip: str | None = None,
        port: int | None = None,
        timeout: float = 10.0,
    ) -> SippResult:
        """Run a script to its end, at most `timeout` seconds. The arguments are those of `start`."""
        with self.start(
            script,
            agent,
            remote=remote,
            transport=transport,
            user=user,
            password=password,
            variables=variables,
            local_ip=local_ip,
            port=port,
            timeout=timeout,
        ) as running:
            return running.wait()

    def start(
        self,
        script: str | Path,
        agent: str,
        *,
        remote: str | None = None,
        transport: str = "udp",
        user: str | None = None,
        password: str | None = None,
        variables: Mapping[str, str | int] | None = None,
        local_ip: str | None = None,
        port: int | None = None,
        timeout: float = 30.0,
    ) -> SippAgent:
        """Start a script and return when its port is open.

        `script` is a path or a name in `features/sipp/`. `remote` is `host:port`; a script that waits needs none.
        `variables` fill the script's `[keywords]`; some are special: `service` is the user part that is called, `hold`
        the milliseconds after which a call script hangs up by itself, `refusal` the status with which it refuses
        (`404 Not Found`), `body` what it sends in place of its SDP; `headers`, `parting` and `answering` may be several
        lines. The scripts' `user`, `domain`, `contact`, `probe_ip`, `probe_port`, `from`, `headers`, `parting`, `answering`,
        `ring` and `then` have defaults: the user, the remote host, the agent's own address, a port that nobody listens on,
        an address of user and domain, the name of the harness (three times), 180 and answer. Without `port` the
        system chooses one.

        Raises:
            SippError: a script or an argument that SIPp could not use, or no way to the remote.
        """
        try:
            loaded = Script.load(script)
        except ScriptError as error:
            raise SippError(str(error)) from error
        if transport not in TRANSPORTS:
            raise SippError(f"transport {transport!r}: SIPp is used with {' and '.join(TRANSPORTS)}")
        if not re.fullmatch(r"[\w.+-]+", agent):
            raise SippError(f"agent {agent!r}: a name of letters, digits and .+-_ is needed, it names a folder")
        if remote is None and not loaded.waits_first:
            raise SippError(f"SIPp script {loaded.path.name} begins by sending: it needs a remote")
        self._timeline.redactor.add(password)
        host = local_ip or local_host(remote)
        given = {name: str(value) for name, value in (variables or {}).items()}
        for attempt in range(PORT_TRIES):
            order = self._order(
                loaded, agent, remote, transport, user, password, given, host, port or free_port(host), timeout
            )
            running = SippAgent(order, self._timeline)
            self.commands.append(order.command)
            running.wait_ready()
            taken = running.ended and running.wait().exit_code == EXIT_BIND
            if not taken or attempt == PORT_TRIES - 1:
                return running
            if port is not None:  # whoever has it may be about to leave
                time.sleep(PORT_PAUSE)
        raise AssertionError("unreachable")

    def _order(
        self,
        script: Script,
        agent: str,
        remote: str | None,
        transport: str,
        user: str | None,
        password: str | None,
        given: Mapping[str, str],
        host: str,
        port: int,
        timeout: float,
    ) -> Order:
        local = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        values = {
            "user": user or agent,
            "domain": split_address(remote)[0] if remote else host,
            "contact": local,
            "probe_ip": host,
            "probe_port": "9",
            "service": "service",
            "headers": _NAME_LINE,
            "parting": _NAME_LINE,
            "answering": _NAME_LINE,
            "ring": "180",
            "then": "answer",
            **given,
        }
        values.setdefault("from", f"<sip:{values['user']}@{values['domain']}>")
        for name in ("headers", "parting", "answering"):
            values[name] = "\r\n".join(values[name].splitlines())
        folder = _new_folder(self._folder, agent)
        path = script.path
        changed = _adapted(script, values)
        if changed.text != script.text:
            path = folder / script.path.name
            path.write_text(changed.text, encoding="utf-8")
        arguments = [self._binary, "-sf", str(path.resolve()), "-i", host, "-bind_local", "-p", str(port)]
        arguments += ["-t", TRANSPORTS[transport], "-m", "1", "-r", "1000", "-nostdin", "-aa", "-timeout_error"]
        arguments += [
            "-timeout",
            str(math.ceil(timeout + 1)),
            "-recv_timeout",
            str(max(100, int(timeout * 1000) - 100)),
        ]
        if not script.makes_dialogs:
            arguments += ["-default_behaviors", "all,-bye"]
        arguments += ["-s", values.pop("service")]
        for name, value in values.items():
            arguments += ["-key", name, value]
        if user is not None:
            arguments += ["-au", user]
            uri = script.auth_uri({**values, "service": given.get("service", "service")})
            if uri is not None:
                arguments += ["-auth_uri", uri]
        shown = shlex.join(arguments)
        if password is not None:
            arguments += ["-ap", password]
            shown += ' -ap "$SIP_PASSWORD"'
        if remote is not None:
            arguments.append(remote)
            shown += f" {shlex.quote(remote)}"
        command = self._timeline.redactor.text(shown)
        return Order(
            agent, script, tuple(arguments), command, local, remote, transport, timeout, folder.resolve(), self._keep
        )


def _adapted(script: Script, values: dict[str, str]) -> Script:
    """The script as those values want it that SIPp takes from no variable; they are taken out."""
    try:
        if (hold := values.pop("hold", None)) is not None:
            script = script.with_hold(int(hold))
        if (refusal := values.pop("refusal", None)) is not None:
            script = script.with_refusal(refusal)
        if (body := values.pop("body", None)) is not None:
            script = script.with_body(body)
    except (ScriptError, ValueError) as error:
        raise SippError(str(error)) from error
    return script


def _new_folder(parent: Path, agent: str) -> Path:
    """`<agent>-<n>`, the first that nobody has: runners of several workers share the parent."""
    for number in range(1, 100_000):
        folder = parent / f"{agent}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise SippError(f"more than 100,000 agents named {agent} in {parent}")

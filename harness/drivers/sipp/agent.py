"""One running SIPp: its thread reads the trace through a pipe, keeps the deadline, and closes the account.

Made by `SippRunner`. Messages can be waited for while the agent runs; when it ends they go into the timeline in the
order of SIPp's trace, retransmissions folded into the message that they repeat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.drivers.sipp import command, process
from harness.drivers.sipp.life import GONE, Life
from harness.drivers.sipp.outcome import SippResult, judge
from harness.drivers.sipp.script import Script
from harness.drivers.sipp.trace import Record, call_id, is_request, via_address
from harness.timeline import SipMessage, Timeline

# How long SIPp may take beyond its own deadline before it is killed; seconds.
GRACE = 0.25
# How long SIPp may take to open its port; seconds.
READY_SECONDS = 2.0
# How long a command may take to reach SIPp; seconds.
COMMAND_SECONDS = 2.0
# How many stray requests a waiting agent survives.
MAX_RESTARTS = 20
# What one agent keeps; a flood beyond it is counted only.
MAX_MESSAGES = 5000


@dataclass(frozen=True, slots=True)
class Order:
    """What an agent is to do. `arguments` are SIPp's without the trace; `command` is the same for people."""

    name: str
    script: Script
    arguments: tuple[str, ...]
    command: str
    local: str
    remote: str | None
    transport: str
    timeout: float
    folder: Path
    keep: bool


class SippAgent:
    """A SIPp process and what it has seen so far; a context manager that stops it."""

    def __init__(self, order: Order, timeline: Timeline) -> None:
        self._order = order
        self._timeline = timeline
        self._changed = threading.Condition()
        self._messages: list[SipMessage] = []
        self._places: dict[tuple[str, str], int] = {}
        self._lost = 0
        self._last = 0.0
        self._commands = 0
        self._calls: set[str] = set()
        self._foreign: set[str] = set()
        self._killed: Literal["deadline", "stop"] | None = None
        self._result: SippResult | None = None
        self._broke: BaseException | None = None
        self._deadline = time.monotonic() + order.timeout + GRACE
        self._code: int | None = None
        self._expected = order.script.first_request
        self._stray: SipMessage | None = None
        self._answered = False
        self._life = Life(order.arguments, order.folder)
        self._thread = threading.Thread(target=self._follow, name=f"ringtrue-sipp-{order.name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> SippAgent:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """`host:port` at which the agent is reached."""
        return self._order.local

    @property
    def port(self) -> int:
        return process.split_address(self._order.local)[1]

    @property
    def messages(self) -> tuple[SipMessage, ...]:
        """What the agent has sent and received so far."""
        with self._changed:
            return tuple(self._messages)

    @property
    def ended(self) -> bool:
        with self._changed:
            return self._is_over()

    def _is_over(self) -> bool:
        return self._result is not None or self._broke is not None

    def wait_for(self, match: Callable[[SipMessage], bool], timeout: float) -> SipMessage | None:
        """Wait until the agent has seen a message that matches; None after `timeout` seconds, or when it ends without."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for message in self._messages:
                    if match(message):
                        return message
                left = deadline - time.monotonic()
                if left <= 0 or self._is_over():
                    return None
                self._changed.wait(left)

    def tell(self, name: str) -> None:
        """Have the script do something now, in the call that it is in: one of `command.COMMANDS`, as the script says.

        When this returns SIPp has got the command; what it did shows in its messages.

        Raises:
            SippError: there is no call, the script is over, or SIPp does not take it.
        """
        with self._changed:
            opening = next((one.text for one in self._messages if one.start_line.startswith("INVITE ")), None)
            seen = self._commands
        if opening is None or self.ended:
            raise process.SippError(f"agent {self._order.name} is in no call and cannot be told to {name}")
        command.send(self.address, self._order.transport, command.command(name, opening))
        with self._changed:
            if not self._changed.wait_for(lambda: self._commands > seen or self._is_over(), COMMAND_SECONDS):
                raise process.SippError(f"agent {self._order.name} did not get the command {name}")

    def wait(self, timeout: float | None = None) -> SippResult:
        """Wait for the script's end; when `timeout` seconds (by default all that it was given) pass, it is stopped.

        Raises:
            SippError: the harness itself failed to follow the agent.
        """
        if not self._wait_ended(timeout):
            return self.stop()
        return self._account()

    def stop(self) -> SippResult:
        """End the agent now, if it has not ended; its result."""
        with self._changed:
            if self._result is None and self._broke is None and self._killed is None:
                self._killed = "stop"
                self._life.kill()
        self._wait_ended(GONE)
        return self._account()

    def wait_ready(self) -> None:
        """Wait until the agent has its port, has seen a message, or has ended."""
        with self._changed:
            self._await_port(lambda: bool(self._messages) or self._is_over())

    def _await_port(self, enough: Callable[[], bool] = lambda: False) -> None:
        """With the lock held: the system does not tell when a port is bound, so look again and again."""
        deadline = time.monotonic() + READY_SECONDS
        while not enough():
            if self._life.has_port(self.port) is not False or time.monotonic() >= deadline:
                return
            self._changed.wait(0.002)

    def _wait_ended(self, timeout: float | None) -> bool:
        left = self._deadline + GONE - time.monotonic()
        self._thread.join(left if timeout is None else min(timeout, max(left, 0.0)))
        return not self._thread.is_alive()

    def _account(self) -> SippResult:
        with self._changed:
            if self._result is None:
                raise process.SippError(f"SIPp agent {self._order.name}: {self._broke or 'it does not end'}")
            return self._result

    def _follow(self) -> None:
        """The thread: from the first message to the result."""
        try:
            restarts = 0
            while self._live() and restarts < MAX_RESTARTS and self._begin_again():
                restarts += 1
            result = self._close()
        except BaseException as error:  # noqa: BLE001  told to whoever waits for the agent
            self._life.kill()
            with self._changed:
                self._broke = error
                self._changed.notify_all()
            return
        with self._changed:
            self._result = result
            self._changed.notify_all()

    def _live(self) -> bool:
        """See one SIPp to its end, or to its deadline; whether a stray request ended it before the script began."""
        alive = True
        while alive:
            left = self._deadline - time.monotonic()
            if left <= 0:
                with self._changed:
                    self._killed = self._killed or "deadline"
                self._life.kill()
                self._deadline = time.monotonic() + GONE
                continue
            records, alive = self._life.poll(left)
            self._keep_all(records)
            if self._stray is not None and self._answered:
                self._life.kill()
        records, self._code = self._life.close()
        self._keep_all(records)
        return self._stray is not None

    def _begin_again(self) -> bool:
        """Start SIPp anew on its port: a request that is not for the script took its only call (an OPTIONS, say)."""
        with self._changed:
            assert self._stray is not None
            if self._killed is not None:
                return False
            stray, self._stray, self._answered = self._stray, None, False
            self._life = Life(self._order.arguments, self._order.folder)
            self._await_port()
        self._timeline.note(
            "sipp-stray", f"{self._order.name} waits for {self._expected} and got {stray.start_line[:200]}"
        )
        return True

    def _keep_all(self, records: Iterable[Record]) -> None:
        for record in records:
            self._keep(record)

    def _keep(self, record: Record) -> None:
        if record.direction == "in" and command.is_command(record.text):
            with self._changed:
                self._commands += 1
                self._changed.notify_all()
            return
        # SIPp writes in the order in which things happened: a clock that is set back meanwhile must not change it.
        self._last = max(self._timeline.clock.from_wall(record.wall), self._last)
        message = SipMessage(
            self._last,
            agent=self._order.name,
            direction=record.direction,
            local=self._order.local,
            remote=self._remote(record),
            text=record.text,
            transport=record.transport,
        )
        foreign = self._is_foreign(message)
        with self._changed:
            waiting = self._expected is not None
            if not foreign:
                self._hold(message)
            if waiting:
                self._watch(message)
            self._changed.notify_all()
        if foreign and not waiting and message.direction == "in":
            self._timeline.note(
                "sipp-foreign", f"{self._order.name} got {message.start_line[:200]} of a call it never had"
            )

    def _hold(self, message: SipMessage) -> None:
        key = (message.direction, message.text)
        known = self._places.get(key) if message.transport == "udp" else None
        if known is not None:
            earlier = self._messages[known]
            self._messages[known] = replace(earlier, repeats=earlier.repeats + 1)
        elif len(self._messages) < MAX_MESSAGES:
            self._places[key] = len(self._messages)
            self._messages.append(message)
        else:
            self._lost += 1

    def _is_foreign(self, message: SipMessage) -> bool:
        """Whether it belongs to a call that this agent never had, to one of whoever had its port before, or answers it."""
        call = call_id(message.text)
        if call in self._calls:
            return False
        if call in self._foreign and message.direction == "out":
            return True
        if message.direction == "in" and message.text.startswith(("ACK ", "BYE ", "CANCEL ", "SIP/2.0 ")):
            self._foreign.add(call)
            return True
        self._calls.add(call)
        return False

    def _watch(self, message: SipMessage) -> None:
        """Until the request comes for which the script waits: notice others, and when SIPp has answered them."""
        if message.direction == "out":
            self._answered = True
        elif message.text.startswith(f"{self._expected} "):
            self._expected = None
            self._stray = None
        else:
            self._stray, self._answered = message, False

    def _remote(self, record: Record) -> str:
        """The far side of a message: SIPp does not say it, so the Via does, or the address that was called."""
        if is_request(record.text) == (record.direction == "in"):
            via = via_address(record.text)
            if via is not None:
                return via
        return self._order.remote or (self._messages[-1].remote if self._messages else "")

    def _close(self) -> SippResult:
        order = self._order
        redact = self._timeline.redactor.text
        log = "\n".join(_slurp(order.folder / name) for name in ("errors", "stderr"))
        code = self._code
        seen = self.messages
        outcome, detail = judge(order.script, code, log, seen, killed=self._killed, timeout=order.timeout)
        messages = tuple(self._timeline.add(message) for message in seen)
        for name in ("trace", "errors", "stderr"):
            (order.folder / name).unlink(missing_ok=True)
        if order.keep:
            (order.folder / "errors").write_text(redact(log), encoding="utf-8")
            frames = (f"---- {message.at:.6f} {message.direction}\n{message.text}\n" for message in messages)
            (order.folder / "messages").write_text(redact("".join(frames)), encoding="utf-8")
        if self._lost:
            self._timeline.note("sipp-flood", f"{order.name}: {self._lost} more messages were not kept")
        if outcome != "done":
            self._timeline.note(
                f"sipp-{outcome}", f"{order.name} ({order.script.path.name}): {detail}", command=order.command
            )
        return SippResult(outcome, None if self._killed else code, redact(detail), messages, order.command)


def _slurp(path: Path) -> str:
    """The first megabyte of a file, empty when there is none."""
    try:
        with path.open("rb") as file:
            return file.read(1024 * 1024).decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ""

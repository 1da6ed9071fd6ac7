"""One running SIPp: its thread reads the trace through a pipe, keeps the deadline, and closes the account.

Made by `SippRunner`. Messages can be waited for while the agent runs; when it ends they go into the timeline in the
order of their times, retransmissions folded into the message that they repeat.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.drivers.sipp import process
from harness.drivers.sipp.outcome import SippResult, judge
from harness.drivers.sipp.script import Script
from harness.drivers.sipp.trace import Record, TraceParser, is_request, via_address
from harness.timeline import SipMessage, Timeline

# How long SIPp may take beyond its own deadline before it is killed, and to be gone once killed; seconds.
GRACE = 0.25
GONE = 2.0
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
        self._killed: Literal["deadline", "stop"] | None = None
        self._result: SippResult | None = None
        self._broke: BaseException | None = None
        self._deadline = time.monotonic() + order.timeout + GRACE
        fifo = order.folder / "trace"
        os.mkfifo(fifo, 0o600)
        # Opened for reading before SIPp opens it for writing, so that neither waits for the other.
        self._trace = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        traced = ("-trace_msg", "-message_file", str(fifo), "-trace_err", "-error_file", str(order.folder / "errors"))
        self._process = process.spawn([*order.arguments, *traced], order.folder)
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
                if left <= 0 or self._result is not None or self._broke is not None:
                    return None
                self._changed.wait(left)

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
                process.kill(self._process)
        self._wait_ended(GONE)
        return self._account()

    def wait_ready(self, timeout: float) -> None:
        """Wait until the agent has its port, has seen a message, or has ended."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._messages and self._result is None and self._broke is None:
                if process.is_bound(self.port) is not False or time.monotonic() >= deadline:
                    return
                self._changed.wait(0.002)  # the system does not tell when a port is bound: look again

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
        """The thread: from the first byte of the trace to the result."""
        try:
            self._read()
            result = self._close()
        except BaseException as error:  # noqa: BLE001  told to whoever waits for the agent
            process.kill(self._process)
            with self._changed:
                self._broke = error
                self._changed.notify_all()
            return
        finally:
            os.close(self._trace)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
        with self._changed:
            self._result = result
            self._changed.notify_all()

    def _read(self) -> None:
        """Take the trace until the guard's output ends, which is when SIPp has; kill SIPp at its deadline."""
        assert self._process.stdout is not None
        over = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(self._trace, select.POLLIN)
        poll.register(over, select.POLLIN)
        parser = TraceParser()
        alive = True
        while alive:
            left = self._deadline - time.monotonic()
            if left <= 0:
                with self._changed:
                    self._killed = self._killed or "deadline"
                process.kill(self._process)
                self._deadline = time.monotonic() + GONE
                continue
            ready = dict(poll.poll(left * 1000))
            alive = over not in ready
            if self._trace in ready and not self._take(parser):
                poll.unregister(self._trace)
        process.kill(self._process)
        self._process.wait(GONE)
        while self._take(parser):
            pass
        self._keep_all(parser.close())

    def _take(self, parser: TraceParser) -> bool:
        """Read what the pipe has; False when it has nothing (more)."""
        try:
            data = os.read(self._trace, 65536)
        except BlockingIOError:
            return False
        self._keep_all(parser.feed(data))
        return bool(data)

    def _keep_all(self, records: Iterable[Record]) -> None:
        for record in records:
            self._keep(record)

    def _keep(self, record: Record) -> None:
        message = SipMessage(
            self._timeline.clock.from_wall(record.wall),
            agent=self._order.name,
            direction=record.direction,
            local=self._order.local,
            remote=self._remote(record),
            text=record.text,
            transport=record.transport,
        )
        with self._changed:
            known = self._places.get((record.direction, record.text)) if record.transport == "udp" else None
            if known is not None:
                earlier = self._messages[known]
                self._messages[known] = replace(earlier, repeats=earlier.repeats + 1)
            elif len(self._messages) < MAX_MESSAGES:
                self._places[record.direction, record.text] = len(self._messages)
                self._messages.append(message)
            else:
                self._lost += 1
            self._changed.notify_all()

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
        code = self._process.returncode
        ordered = sorted(self.messages, key=lambda message: message.at)
        outcome, detail = judge(order.script, code, log, ordered, killed=self._killed, timeout=order.timeout)
        messages = tuple(self._timeline.add(message) for message in ordered)
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

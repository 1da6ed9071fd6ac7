"""SIPp as a process of ours: found, given a port, never left behind.

Used by the agent. The process runs under a small shell guard in a group of its own: when this program dies, however it
dies, the guard's standard input ends and it kills SIPp.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

HINT = "install it (Debian: apt-get install sip-tester) or set RINGTRUE_SIPP to its path"

# Descriptor 3 is our end of life; SIPp itself gets an empty standard input. The guard's standard output closes when
# all is over, which is how the agent's thread notices.
_GUARD = """
exec 3<&0
"$@" </dev/null >/dev/null 3<&- &
child=$!
{ read -r nothing <&3; kill -KILL $child; } 2>/dev/null &
guard=$!
wait $child
code=$?
kill -KILL $guard 2>/dev/null
exit $code
"""


class SippError(Exception):
    """An agent cannot be started."""


class SippMissing(SippError):  # noqa: N818  the name says what is wrong, as the word is used
    """There is no SIPp on this machine."""


def find_binary(given: str | Path | None = None) -> str:
    """The path of SIPp: as given, from RINGTRUE_SIPP, or from PATH; raises SippMissing."""
    wanted = str(given or os.environ.get("RINGTRUE_SIPP") or "sipp")
    found = shutil.which(wanted)
    if found is None:
        raise SippMissing(f"SIPp ({wanted}) is not there: {HINT}")
    return found


def free_port(host: str) -> int:
    """A port of this host that is free for UDP and TCP right now; somebody may take it before SIPp does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(50):
        with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.socket(family, socket.SOCK_STREAM) as tcp:
            udp.bind((host, 0))
            port = int(udp.getsockname()[1])
            with suppress(OSError):
                tcp.bind((host, port))
                return port
    raise SippError(f"no free port on {host}")


def local_host(remote: str | None) -> str:
    """The address of ours from which `remote` (`host:port`) is reached; loopback without a remote."""
    if remote is None:
        return "127.0.0.1"
    host, port = split_address(remote)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        raise SippError(f"no way to {remote}: {error}") from error


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port` or `[v6]:port`; port 5060 without one."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        return address.strip("[]"), 5060
    if not port.isdecimal():
        raise SippError(f"address {address!r}: expected host:port")
    return host.strip("[]"), int(port)


def spawn(arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start SIPp under its guard; what it says on standard error goes to `stderr` in the folder."""
    with (folder / "stderr").open("wb") as stderr:
        return subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "ringtrue-sipp", *arguments],
            cwd=folder,
            env={**os.environ, "TZ": "UTC", "TERM": "dumb"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole group at once; harmless when it has ended."""
    if process.returncode is not None:
        return  # its number may be somebody else's by now
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def has_port(guard: subprocess.Popen[bytes], port: int) -> bool | None:
    """Whether the SIPp under this guard has that local port; None where the system does not tell.

    That somebody has it is not enough: it may have been taken by another process just before.
    """
    bound = _bound(port)
    if not bound:
        return None if bound is None else False
    held = _held_below(guard.pid)
    return held is None or bool(bound & held)


def _bound(port: int) -> set[str] | None:
    """The sockets of this machine, by their inode numbers, that have a local port."""
    suffix = f":{port:04X}"
    found: set[str] = set()
    told = False
    for name in ("udp", "udp6", "tcp", "tcp6"):
        with suppress(OSError):
            lines = (line.split() for line in Path("/proc/net", name).read_text().splitlines()[1:])
            found |= {fields[9] for fields in lines if fields[1].endswith(suffix)}
            told = True
    return found if told else None


def _held_below(process: int) -> set[str] | None:
    """The sockets of a process's children; None where the system does not tell which those are."""
    if not _children_of(os.getpid()).exists():
        return None
    found: set[str] = set()
    try:
        children = _children_of(process).read_text().split()
    except OSError:  # it has ended
        return found
    for child in children:
        with suppress(OSError):
            links = (entry.readlink().name for entry in Path("/proc", child, "fd").iterdir())
            found |= {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    return found


def _children_of(process: int) -> Path:
    return Path(f"/proc/{process}/task/{process}/children")

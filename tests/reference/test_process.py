"""The platform as a process: the ready line, stopping, ports, wrong usage."""

from __future__ import annotations

import signal
import socket
import tomllib
from pathlib import Path

import pytest

from tests.reference.platform_process import Platform, run_to_end


def test_prints_one_ready_line_with_the_target_table() -> None:
    with Platform("--system", "apidaze") as platform:
        assert platform.ready["ready"] is True
        assert platform.ready["version"] == 1
        assert list(platform.ready["systems"]) == ["apidaze"]
        table = platform.apidaze
        assert table["base_url"].endswith("/communication/apidaze/cpaas")
        assert {"token_url", "client_id", "client_secret", "limited_client_id", "limited_client_secret"} <= set(table)
        assert table["sip"]["transport"] == "udp"
        assert table["capabilities"] == ["sip", "callbacks", "quota"]
        platform.stop()
        assert platform.process.stdout is not None
        assert platform.process.stdout.read() == b""


def test_writes_the_same_table_as_a_target_file_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "target.toml"
    with Platform("--system", "apidaze", "--target-file", str(file)) as platform:
        assert tomllib.loads(file.read_text()) == platform.ready["systems"]
        assert file.stat().st_mode & 0o077 == 0
        assert list(tmp_path.iterdir()) == [file]


def test_a_target_file_says_where_callbacks_are_sent_unless_that_is_said_already(tmp_path: Path) -> None:
    file = tmp_path / "target.toml"
    arguments = ("--system", "mediaservice", "--target-file", str(file))
    with Platform(*arguments) as platform:
        written = tomllib.loads(file.read_text())
        assert written.pop("recorder")["listen"].startswith("127.0.0.1:")
        assert written == platform.ready["systems"]
    with Platform(*arguments, "--callback", "http://127.0.0.1:9/cb"):
        assert "recorder" not in tomllib.loads(file.read_text())


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_on_a_signal_and_frees_its_ports(signum: int) -> None:
    with Platform("--system", "apidaze") as platform:
        host, _, port = platform.apidaze["base_url"].split("/")[2].partition(":")
        sip_port = int(platform.apidaze["sip"]["address"].rpartition(":")[2])
        assert platform.stop(signum) == 0
        assert "Traceback" not in platform.log()
    with socket.socket() as http, socket.socket(type=socket.SOCK_DGRAM) as sip:
        http.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        http.bind((host, int(port)))
        sip.bind((host, sip_port))


def test_stops_when_the_parent_closes_its_end_of_standard_input() -> None:
    with Platform("--system", "apidaze") as platform:
        assert platform.process.stdin is not None
        platform.process.stdin.close()
        assert platform.process.wait(5) == 0


@pytest.mark.parametrize(("option", "kind"), [("--http", socket.SOCK_STREAM), ("--sip", socket.SOCK_DGRAM)])
def test_a_taken_port_is_one_clear_line_and_exit_2(option: str, kind: int) -> None:
    with socket.socket(type=kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        ended = run_to_end("--system", "apidaze", option, address, "--log-level", "error")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.strip().splitlines() == [
        f"ringtrue platform: {option} {address}: the port is taken; choose another port, or 0 for any free one"
    ]


def test_fixed_ports_are_kept() -> None:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        http, sip = (f"127.0.0.1:{holder.getsockname()[1]}" for holder in (one, two))
    with Platform("--system", "apidaze", "--http", http, "--sip", sip) as platform:
        assert platform.apidaze["base_url"].startswith(f"http://{http}/")
        assert platform.apidaze["sip"]["address"] == sip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--system", "apidase"], "unknown system 'apidase'; did you mean apidaze?"),
        (["--system", "zzz"], "unknown system 'zzz'; known: apidaze"),
        (["--fault", "apidaze-update-lots"], "did you mean apidaze-update-lost"),
        (["--http", "nowhere"], "'nowhere' is not HOST:PORT"),
        (["--sip", "127.0.0.1:70000"], "is not HOST:PORT with a port from 0 to 65535"),
        (["--callback", "ftp://x"], "is not an http:// or https:// URL"),
        (["--quota", "0"], "--quota must be 1 or more"),
        (["--target-file", "no/such/folder/t.toml", "--system", "apidaze"], "cannot write the target file"),
    ],
)
def test_wrong_usage_is_one_line_that_helps_and_exit_2(arguments: list[str], words: str) -> None:
    ended = run_to_end(*arguments, "--log-level", "error")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert words in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_lists_faults_tab_separated() -> None:
    ended = run_to_end("--list-faults")
    assert ended.returncode == 0
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    assert all(len(row) == 4 and all(row) for row in rows)
    assert len({row[0] for row in rows}) == len(rows) > 20


def test_help_shows_the_ready_line_and_examples() -> None:
    ended = run_to_end("--help")
    assert ended.returncode == 0
    assert '"ready": true' in ended.stdout
    assert "--target-file" in ended.stdout


def test_paths_of_no_system_are_answered_404() -> None:
    import httpx

    with Platform("--system", "apidaze") as platform:
        root = platform.apidaze["base_url"].partition("/communication")[0]
        answer = httpx.get(f"{root}/elsewhere", trust_env=False)
        assert answer.status_code == 404
        assert "/elsewhere" in answer.json()["message"]


def test_survives_bytes_that_are_not_http() -> None:
    import httpx

    with Platform("--system", "apidaze") as platform:
        address = platform.apidaze["base_url"].split("/")[2]
        host, _, port = address.partition(":")
        for junk in (b"\x00\xff" * 500, b"GET / HTTP/9.9\r\n\r\n", b"POST /\r\nA" + b"A" * 100_000):
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(junk)
                connection.shutdown(socket.SHUT_WR)
        assert httpx.get(platform.apidaze["base_url"] + "/sipaccounts", trust_env=False).status_code == 401
        platform.stop()
        assert "Traceback" not in platform.log()

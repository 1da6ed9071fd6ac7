"""Starting, stopping, dying: what is left on disk, and what is not left running."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from harness.drivers.recorder import Answer, Limits, Recorder, RecorderClient, RecorderError
from harness.redact import Redactor
from harness.timeline import Timeline


def test_a_run_leaves_flows_and_har_without_secrets(tmp_path: Path) -> None:
    redactor = Redactor()
    with Recorder(tmp_path, redactor=redactor) as recorder:
        timeline = Timeline("s", redactor=Redactor(["worker-secret"]))
        with RecorderClient(recorder.control, timeline) as client:
            route = client.route(client.unique(), Answer(json={"password": "from-us-1"}))
            headers = {"Authorization": "Bearer abcdefghijk"}
            httpx.post(f"{route.url}?token=tok12345", headers=headers, json={"who": "worker-secret", "n": "kept"})
            httpx.get(route.url)
            assert b"worker-secret" in route.wait(2)[0].request.body
    flows = (tmp_path / "flows.mitm").read_bytes()
    har = (tmp_path / "flows.har").read_text()
    entries = json.loads(har)["log"]["entries"]
    assert [entry["request"]["method"] for entry in entries] == ["POST", "GET"]
    assert json.loads(entries[0]["request"]["postData"]["text"])["n"] == "kept"
    assert entries[0]["response"]["status"] == 200
    for secret in ("worker-secret", "abcdefghijk", "tok12345", "from-us-1"):
        assert secret not in har
        assert secret.encode() not in flows


def test_stop_is_quick_and_leaves_no_thread_port_or_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = set(threading.enumerate())
    recorder = Recorder(tmp_path)
    recorder.start()
    address, control = recorder.address, recorder.control
    client = RecorderClient(control, Timeline("s"))
    route = client.route(client.unique(), Answer(delay=30.0))
    with socket.create_connection(address) as waiting:
        waiting.sendall(f"GET {route.url.removeprefix(recorder.base_url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        started = time.monotonic()
        recorder.stop()
        assert time.monotonic() - started < 2.0
    assert [record for record in caplog.records if record.name == "asyncio"] == []
    with pytest.raises(RecorderError, match="gone"):
        route.wait(2, timeout=5.0)
    client.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=1.0)
    assert not Path(control.partition("@")[2]).parent.exists()


def test_a_recorder_can_follow_another_but_not_join_it(tmp_path: Path) -> None:
    with Recorder(tmp_path / "1") as first:
        with pytest.raises(RecorderError, match="one per process"):
            Recorder(tmp_path / "2").start()
        assert httpx.get(first.base_url).status_code == 404
    with Recorder(tmp_path / "3") as third:
        assert httpx.get(third.base_url).status_code == 404


def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RecorderError, match=f"127.0.0.1:{port}.*in use"):
            Recorder(tmp_path, listen=f"127.0.0.1:{port}").start()
    with Recorder(tmp_path, listen=f"127.0.0.1:{port}") as recorder:
        assert recorder.address == ("127.0.0.1", port)


@pytest.mark.parametrize("listen", ["", "5060", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"])
def test_a_listen_address_that_is_none_is_a_clear_error(tmp_path: Path, listen: str) -> None:
    with pytest.raises(RecorderError, match="expected host:port"):
        Recorder(tmp_path, listen=listen)


def test_a_public_url_is_what_routes_show_and_its_path_may_be_kept_or_stripped(tmp_path: Path) -> None:
    with (
        Recorder(tmp_path, public_url="https://public.example/hooks/") as recorder,
        RecorderClient(recorder.control, Timeline("s")) as client,
    ):
        route = client.route("cb")
        assert route.url == "https://public.example/hooks/cb"
        host, port = recorder.address
        for path in ("/hooks/cb/newCall", "/cb/newCall"):
            httpx.post(f"http://{host}:{port}{path}", headers={"Host": "public.example"})
        assert route.wait(2)[0].request.url == "https://public.example/hooks/cb/newCall"
        assert len(route.callbacks) == 2


def _die_with_a_route(control: str, path: str) -> None:
    client = RecorderClient(control, Timeline("worker"))
    client.route(path, Answer(body="worker"))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_leaves_no_route(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder, RecorderClient(recorder.control, Timeline("s")) as client:
        client.route("shared", Answer(body="ours"))
        worker = multiprocessing.get_context("spawn").Process(
            target=_die_with_a_route, args=(recorder.control, "shared/deeper")
        )
        worker.start()
        worker.join(20)
        assert worker.exitcode == -signal.SIGKILL
        deadline = time.monotonic() + 5
        while httpx.get(client.url("shared/deeper")).text != "ours":
            assert time.monotonic() < deadline


def test_stored_flows_are_bounded_and_said_so(tmp_path: Path) -> None:
    with (
        Recorder(tmp_path, limits=Limits(flows=2, notes=5)) as recorder,
        RecorderClient(recorder.control, Timeline("s")) as client,
    ):
        route = client.route(client.unique())
        for _ in range(3):
            httpx.get(route.url)
        assert len(route.wait(3)) == 3
        for _ in range(8):
            httpx.get(f"{recorder.base_url}/unknown")
        topics = [event.topic for event in recorder.notes if hasattr(event, "topic")]
    assert topics[0] == "flows-full"
    assert len(topics) == 6
    assert topics[-1] == "notes-full"
    assert len(json.loads((tmp_path / "flows.har").read_text())["log"]["entries"]) == 2


def test_importing_the_package_does_not_import_mitmproxy() -> None:
    code = "import sys, harness.drivers.recorder; sys.exit('mitmproxy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 0


def test_starting_one_loads_no_addon_that_it_does_not_use(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, harness.drivers.recorder as made\n"
        "with made.Recorder(pathlib.Path(sys.argv[1])): pass\n"
        "print(sorted({'mitmproxy.addons.proxyserver', 'flask', 'ldap3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], timeout=60, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['mitmproxy.addons.proxyserver']"

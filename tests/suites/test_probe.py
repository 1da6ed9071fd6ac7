"""The knock before a run: a target that is dead, shut, or the same to everything is recognised; a working one is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.contract import Contract
from harness.drivers.auth import Auth, NoCredentials
from harness.drivers.http import HttpDriver
from harness.suites.probe import Problem, probe
from harness.target import SystemTarget, Timing
from harness.timeline import Timeline
from tests.checks.build import toy_contract
from tests.drivers.hostile import Behaviour, answer, answering, read_request, serving


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return toy_contract(Path(tmp_path_factory.mktemp("toy")))


class Token(NoCredentials):
    """Shows a token, as a platform would want it."""

    def apply(self, headers: dict[str, str], driver: HttpDriver, auth: Auth) -> None:
        del driver
        headers["Authorization"] = "Bearer right" if auth == "valid" else "Bearer wrong"


def knock(url: str, contract: Contract) -> Problem | None:
    target = SystemTarget(base_url=url)
    timing = Timing(connect=0.3, answer=0.3)
    with HttpDriver("toy", target, Token(), Timeline("t"), timing=timing) as driver:
        return probe(driver, contract)


def telling(judge: Callable[[bytes], bytes]) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            request = read_request(connection)
            if not request:
                return
            connection.sendall(judge(request))

    return behave


def honest(request: bytes) -> bytes:
    if b"Bearer right" not in request:
        return answer("401 Unauthorized", b"")
    return answer(body=b"[]") if request.startswith(b"GET /rings ") else answer("404 Not Found", b"")


def closes(connection: socket.socket, over: threading.Event) -> None:
    del connection, over


def silent(connection: socket.socket, over: threading.Event) -> None:
    del connection
    over.wait(5)


def test_a_working_platform_is_fit_to_be_judged(toy: Contract) -> None:
    with serving(telling(honest)) as url:
        assert knock(url, toy) is None


def test_nobody_there_is_said_with_address_and_advice(toy: Contract) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    problem = knock(f"http://127.0.0.1:{port}", toy)
    assert problem is not None
    assert f"toy: http://127.0.0.1:{port}/rings cannot be reached (connect: " in str(problem)
    assert "Check the address" in problem.advice


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        pytest.param(closes, "cannot be reached (protocol: ", id="closes at once"),
        pytest.param(silent, "cannot be reached (timeout: ", id="silent"),
        pytest.param(answering(answer()), "same answer to everything (200, 2 bytes)", id="200 to all"),
        pytest.param(answering(answer("404 Not Found", b"")), "same answer to everything (404, 0 bytes)", id="404 to all"),
        pytest.param(answering(answer("500 Oops", b"")), "same answer to everything (500, 0 bytes)", id="500 to all"),
        pytest.param(answering(answer("401 No", b"")), "(401, 0 bytes)", id="401 to all"),
        pytest.param(answering(answer("302 Found", b"", "Location: /rings\r\n")), "(302, 0 bytes)", id="redirect loop"),
        pytest.param(
            telling(lambda request: answer("403 Forbidden" if b"Bearer right" in request else "401 No", b"")),
            "does not accept the credentials (answer 403)", id="shut",
        ),
        pytest.param(
            telling(lambda request: answer("503 Out" if b"Bearer right" in request else "401 No", b"")),
            "GET /rings is answered 503", id="out of service",
        ),
    ],
)  # fmt: skip
def test_a_target_about_which_nothing_can_be_said_is_recognised(
    toy: Contract, behaviour: Behaviour, words: str
) -> None:
    with serving(behaviour) as url:
        problem = knock(url, toy)
    assert problem is not None
    assert words in str(problem)

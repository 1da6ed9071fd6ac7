"""A target that nothing can be said about ends 3, soon, with a line that says why, and no clause passes."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harness.proof.null.http import answering, closing, dead_port, silent
from tests.drivers.hostile import answer, self_signed, serving
from tests.drivers.hostile import answering as tls_answering
from tests.e2e.command import Done, ringtrue
from tests.e2e.unfit import write_target

# Seconds; two connections at a second each, and the program's own start on a busy machine.
_BOUND = 25.0
_TARGETS: dict[str, tuple[AbstractContextManager[int], str]] = {
    "dead port": (dead_port(), "cannot be reached"),
    "silent": (silent(), "cannot be reached"),
    "closes at once": (closing(), "cannot be reached"),
    "404 to all": (answering("404 Not Found"), "404"),
    "401 to all": (answering("401 Unauthorized"), "credentials"),
    "500 to all": (answering("500 Internal Server Error"), "500"),
    "200 {} to all": (answering("200 OK", b"{}"), "same answer to everything"),
}


@pytest.mark.parametrize("name", _TARGETS)
def test_nothing_can_be_said_about_it(name: str, tmp_path: Path) -> None:
    make, words = _TARGETS[name]
    with make as port:
        done = ringtrue("run", "--target", write_target(tmp_path / "t.toml", port), folder=tmp_path, seconds=60)
    assert done.code == 3, done
    assert done.seconds < _BOUND, done
    _says_nothing(done)
    line = next(line for line in done.out.splitlines() if line.startswith("nothing can be said: "))
    assert words in line, done
    assert str(port) in line, done


def _says_nothing(done: Done) -> None:
    verdicts = done.verdicts
    assert verdicts["exit_code"] == 3
    assert verdicts["problems"]
    assert set(done.by_clause.values()) <= {"inconc", "none", "untestable"}, done
    assert verdicts["coverage"]["decided"] == 0
    assert "Traceback" not in done.out + done.err
    assert "canary" not in done.out + done.err
    assert re.search(r"^INCONC \d+ clauses: (unreachable|precondition)$", done.out, re.M), done


def test_wrong_credentials_end_3(target: Path, tmp_path: Path) -> None:
    text = re.sub(
        r'^client_secret = ".*"$', 'client_secret = "canary-wrong"', target.read_text(encoding="utf-8"), flags=re.M
    )
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text, encoding="utf-8")
    done = ringtrue("run", "--target", wrong, folder=tmp_path)
    assert done.code == 3, done
    _says_nothing(done)
    assert "does not accept the credentials" in done.out
    assert "the credentials in the target file" in done.out


def test_a_certificate_that_nobody_vouches_for_is_not_trusted_unless_told_so(tmp_path: Path) -> None:
    asked: list[bytes] = []
    with serving(tls_answering(answer(), seen=asked), tls=self_signed(tmp_path)) as address:
        port = int(address.rpartition(":")[2])
        text = write_target(tmp_path / "t.toml", port).read_text(encoding="utf-8").replace("http://", "https://")
        (tmp_path / "t.toml").write_text(text, encoding="utf-8")
        done = ringtrue("run", "--target", tmp_path / "t.toml", folder=tmp_path)
        assert asked == [], "no credentials are shown to who is not known"
        told = text.replace("[apidaze]\n", "[apidaze]\nverify_tls = false\n", 1)
        (tmp_path / "told.toml").write_text(told, encoding="utf-8")
        doctor = ringtrue("doctor", "--target", tmp_path / "told.toml", folder=tmp_path)
    assert done.code == 3, done
    _says_nothing(done)
    line = next(line for line in done.out.splitlines() if line.startswith("nothing can be said: "))
    assert "certificate" in line, done
    assert "verify_tls = false" in line, done
    assert asked, doctor
    assert re.search(r"^note     apidaze TLS: certificates are not verified", doctor.out, re.M), doctor


def test_doctor_says_the_same_before_a_run(tmp_path: Path) -> None:
    with dead_port() as port:
        done = ringtrue("doctor", "--target", write_target(tmp_path / "t.toml", port), folder=tmp_path)
    assert done.code == 3, done
    assert re.search(r"^missing  apidaze API: .*cannot be reached", done.out, re.M), done
    assert "Traceback" not in done.err

"""All workers of a run know what any of them had accepted against the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.suites.contract.taken import TAKEN, Taken
from harness.timeline import HttpExchange, HttpRequest, HttpResponse


def _exchange(body: bytes, status: int = 201, case: str = "negative", media: str = "application/json") -> HttpExchange:
    request = HttpRequest("POST", "http://h/x", (("content-type", f"{media}; charset=utf-8"),), body)
    return HttpExchange(1.0, request=request, response=HttpResponse(status, (), b""), about={"case": case})


def test_what_one_worker_learns_the_others_know(tmp_path: Path) -> None:
    one, other = Taken(tmp_path), Taken(tmp_path)
    one.learn(_exchange(b'{"code": "AAA", "more": [{"deep": 7}]}'))
    assert ("code", '"AAA"') in one
    assert ("code", '"AAA"') not in other
    other.refresh()
    assert ("deep", "7") in other
    other.learn(_exchange(b"name=x&name2=y", media="application/x-www-form-urlencoded"))
    one.refresh()
    assert ("name2", '"y"') in one
    one.refresh()
    assert len((tmp_path / TAKEN).read_text().splitlines()) == 6


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    taken = Taken(tmp_path)
    (tmp_path / TAKEN).write_bytes(b'["a", "1"]\n["b", ')
    taken.refresh()
    assert ("a", "1") in taken
    with (tmp_path / TAKEN).open("ab") as file:
        file.write(b'"2"]\n')
    taken.refresh()
    assert ("b", "2") in taken


@pytest.mark.parametrize(
    "exchange",
    [
        _exchange(b'{"code": "AAA"}', status=400),
        _exchange(b'{"code": "AAA"}', case="positive"),
        _exchange(b"no JSON"),
        HttpExchange(
            1.0, request=HttpRequest("POST", "http://h/x", (), b'{"code": "AAA"}'), about={"case": "negative"}
        ),
    ],
)
def test_what_was_refused_or_allowed_or_never_answered_is_not_kept(exchange: HttpExchange, tmp_path: Path) -> None:
    Taken(tmp_path).learn(exchange)
    assert not (tmp_path / TAKEN).exists()

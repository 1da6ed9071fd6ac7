"""The script test: what is fetched, and what is reported."""

from __future__ import annotations

import socket

import pytest

from tests.reference.apidaze.client import Client, ScriptServer


def test_it_fetches_exactly_the_url_each_time_and_reports(client: Client, scripts: ScriptServer) -> None:
    target = "/s%20x?a=1&b=%2526&c=d%2Fe"
    for _ in range(2):
        answer = client("GET", "/externalscripts/test", params={"url": scripts.url + target})
        assert answer.status_code == 200
    assert scripts.requests == [target, target]
    report = answer.json()
    assert (report["url"], report["status"], report["valid"]) == (scripts.url + target, 200, True)
    assert report["verbs"] == ["answer", "speak", "hangup"]


def test_it_takes_the_id_of_a_script_as_the_other_recipe_does(client: Client, scripts: ScriptServer) -> None:
    script = client.script(scripts.url + "/by-id")
    assert client("GET", "/externalscripts/test", params={"id": script["id"]}).status_code == 200
    assert scripts.requests == ["/by-id"]
    assert client("GET", "/externalscripts/test", params={"id": "nothing"}).status_code == 404


def test_it_follows_no_redirect(client: Client, scripts: ScriptServer) -> None:
    scripts.pages["/moved"] = (302, b"/other")
    report = client("GET", "/externalscripts/test", params={"url": scripts.url + "/moved"}).json()
    assert (report["status"], report["valid"]) == (302, False)
    assert scripts.requests == ["/moved"]


@pytest.mark.parametrize(
    "body", [b"", b"not xml", b"<a>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe\x00"]
)
def test_it_says_that_a_script_is_invalid(client: Client, scripts: ScriptServer, body: bytes) -> None:
    scripts.pages["/bad"] = (200, body)
    report = client("GET", "/externalscripts/test", params={"url": scripts.url + "/bad"}).json()
    assert report["valid"] is False
    assert report["problem"]


def test_an_unreachable_or_huge_script_is_answered_502(client: Client, scripts: ScriptServer) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refused = client("GET", "/externalscripts/test", params={"url": f"http://127.0.0.1:{nobody.getsockname()[1]}/"})
    scripts.pages["/huge"] = (200, b"x" * (1 << 20) + b"x")
    huge = client("GET", "/externalscripts/test", params={"url": scripts.url + "/huge"})
    assert (refused.status_code, huge.status_code) == (502, 502)
    assert "larger than" in huge.json()["message"]


@pytest.mark.parametrize(
    "query", ["", "url=", "url=ftp%3A%2F%2Fx%2F", "url=x", "other=1", "url=http://a/&url=http://b/", "%ff"]
)
def test_it_needs_one_http_url(client: Client, query: str) -> None:
    assert client("GET", f"/externalscripts/test?{query}").status_code == 400


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://-/", "http://../"])
def test_a_url_that_leads_nowhere_is_answered_502(client: Client, url: str) -> None:
    assert client("GET", "/externalscripts/test", params={"url": url}).status_code == 502

"""The Allure report of a run, as a browser shows it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.report.allure_report import find_allure
from tests.e2e.browser import Browser
from tests.e2e.command import Done, Running, ringtrue
from tests.e2e.conftest import need, once

_SCENARIO = "A call fetches the external script"


@pytest.fixture(scope="module")
def report(embedded: Done, shared: Path) -> Done:
    need(find_allure(), "the allure command")
    return once(shared, "report", lambda folder: ringtrue("report", embedded.run_dir, folder=folder))


@pytest.fixture(scope="module")
def served(report: Done, embedded: Done) -> Iterator[str]:
    """The address at which `ringtrue report --serve` shows it."""
    del report
    with serving(embedded.run_dir, embedded.folder / "serving") as address:
        yield address


@contextmanager
def serving(run_dir: Path, folder: Path) -> Iterator[str]:
    with Running("report", run_dir, "--serve", folder=folder) as server:
        server.wait_for(lambda: "Ctrl-C ends" in server.said()[0], 60, "the report's address")
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.said()[0])
        assert address is not None
        yield address[0]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = need(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium")
    with Browser(program, tmp_path_factory.mktemp("chromium")) as started:
        yield started


def test_report_prints_the_path_of_its_first_page(report: Done, embedded: Done) -> None:
    assert report.code == 0, report
    page = Path(report.out.splitlines()[-1])
    assert page.is_file()
    assert embedded.run_dir in page.resolve().parents


def test_no_page_loads_anything_from_another_host(report: Done, embedded: Done) -> None:
    assert report.code == 0, report
    pages = list((embedded.run_dir / "allure-report").rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "googletagmanager" not in text
        assert "gtag(" not in text
        assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//[^"'\s>]+""", text) == []


def test_the_first_page_leads_from_system_and_area_to_clause_and_scenario(served: str, browser: Browser) -> None:
    browser.open(served)
    shown = browser.wait_for("KPN Apidaze")
    assert "Ringtrue" in shown
    assert "embedded reference platform" in shown
    _follow(browser, "KPN Apidaze", "SIP clients", "AZ-call-runs-script", _SCENARIO, "Then the platform fetches")
    _is_the_scenario(browser)


def _follow(browser: Browser, *path: str) -> None:
    """Click from words to words; a branch that is open already (one with failures is) stays so."""
    for words, following in pairwise(path):
        if following not in browser.wait_for(words):
            browser.click(words)
        browser.wait_for(following)


def _is_the_scenario(browser: Browser) -> None:
    shown = browser.wait_for("Then the platform fetches")
    for words in ("Given ", "When ", "pass: AZ-call-runs-script (documented)", "Timeline"):
        assert words in shown, shown
    browser.click("Timeline")
    timeline = browser.wait_for("INVITE sip:")
    assert "/scripts/" in timeline


def test_a_deviation_shows_expected_seen_and_how_to_repeat_it(browser: Browser, tmp_path: Path) -> None:
    need(find_allure(), "the allure command")
    done = ringtrue(
        "run", "--system", "apidaze", "--workers", "1", "--fault", "apidaze-unknown-id-200", "--run-dir", "run",
        "-k", "test_an_unknown_sip_account and getSipAccount]", folder=tmp_path,
    )  # fmt: skip
    assert done.code == 1, done
    assert ringtrue("report", "run", folder=tmp_path).code == 0
    with serving(tmp_path / "run", tmp_path) as address:
        browser.open(address)
        _follow(
            browser,
            "KPN Apidaze",
            "SIP accounts",
            "AZ-account-unknown-not-served",
            "An unknown SIP account is not found",
            "fail: AZ-account-unknown-not-served (documented)",
        )
        shown = browser.text()
        assert "DeviationError" in shown
        browser.click("an id that names no account is served")
        details = browser.wait_for("reproduce: curl")
    assert "expected: a refusal" in details
    assert "seen: 200" in details
    assert "source: AS " in details


def test_pages_ask_nobody_but_their_own_server(served: str, browser: Browser) -> None:
    browser.open(served + "?again")
    browser.wait_for("KPN Apidaze")
    hosts = {urlsplit(url).hostname for url in browser.requested if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}
    assert browser.failed == []


def test_report_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    done = ringtrue("report", folder=tmp_path)
    assert done.code == 3
    assert "no Allure results there" in done.err
    assert "ringtrue run" in done.err

"""The Allure report of a run, as a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.contract import load_contracts
from harness.report.browse.allure_report import find_allure
from tests.e2e.browser import Browser
from tests.e2e.command import Done, Running, ringtrue
from tests.e2e.conftest import need, once

# The page of clauses has come up when its script has counted them all.
_ALL = f"{len(load_contracts(('apidaze',))['apidaze'].catalogue)} clauses"
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
        browser.resize(1400, 500)
        browser.open(address)
        _stays_at_its_head(browser)
        browser.resize(1400, 1400)
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
        assert "Category: Deviation" in shown
        browser.click("an id that names no account is served")
        details = browser.wait_for("reproduce: curl")
    assert "expected: a refusal" in details
    assert "seen: 200" in details
    assert "source: AS " in details
    page = (tmp_path / "run" / "allure-report" / "clauses.html").as_uri()
    browser.open(page)
    browser.wait_for(_ALL)
    browser.evaluate("document.querySelector('tfoot [data-only=fail]').click()")
    shown = browser.text()
    for words in (
        "Deviates: 1 clause failed",
        "AZ-account-unknown-not-served",
        "a refusal",
        "200 OK",
        "curl -i -X GET",
    ):
        assert words in shown, shown


def _stays_at_its_head(browser: Browser) -> None:
    """Allure scrolls to a test past the conclusion, and the page goes back."""
    browser.wait_for("deviates: 1 clause failed")
    browser.wait_until("document.documentElement.dataset.kept > 0")
    assert browser.evaluate("[...document.querySelectorAll('*')].filter(one => one.scrollTop > 0).length") == 0


def test_pages_ask_nobody_but_their_own_server(served: str, browser: Browser) -> None:
    browser.open(served + "?again")
    browser.wait_for("KPN Apidaze")
    browser.open(served + "clauses.html")
    browser.wait_for(_ALL)
    hosts = {urlsplit(url).hostname for url in browser.requested if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}
    assert browser.failed == []


def test_the_report_names_the_clause_of_a_scenario_and_leads_to_it(served: str, browser: Browser) -> None:
    browser.open(served + "?linked")
    browser.wait_for("KPN Apidaze")
    _follow(browser, "KPN Apidaze", "SIP clients", "AZ-call-runs-script", _SCENARIO, "Then the platform fetches")
    browser.click("AZ-call-runs-script: ")
    browser.wait_for(_ALL)
    row = browser.evaluate("document.querySelector(':target').innerText")
    assert row.startswith("pass"), row
    assert "AZ-call-runs-script" in row


def test_the_page_of_clauses_shows_the_whole_run(served: str, embedded: Done, browser: Browser) -> None:
    browser.open(served)
    browser.wait_for("KPN Apidaze")
    browser.click("Clause matrix")
    shown = browser.wait_for(_ALL)
    assert embedded.verdicts["conclusion"][1:] in shown
    assert "embedded reference platform" in shown
    clauses = embedded.verdicts["clauses"]
    assert f"{len(clauses)} clauses" == _ALL
    ids = browser.evaluate("[...document.querySelectorAll('.clauses tr')].map(one => one.id)")
    assert sorted(ids) == sorted(item["id"] for item in clauses)
    for name, count in embedded.verdicts["counts"].items():
        told = browser.evaluate(f"document.querySelectorAll('.clauses tr[data-verdict={name}]').length")
        assert told == count, name
    browser.click("Allure report")
    browser.wait_for("KPN Apidaze")


_SHOWN = "[...document.querySelectorAll('.clauses tr')].filter(one => one.offsetParent).map(one => one.id)"


def test_the_page_of_clauses_filters_by_verdict_words_and_section(
    served: str, embedded: Done, browser: Browser
) -> None:
    browser.open(served + "clauses.html")
    browser.wait_for(_ALL)
    by_verdict = {item["id"]: item["verdict"] for item in embedded.verdicts["clauses"]}
    browser.evaluate("document.querySelector('tfoot [data-only=untestable]').click()")
    assert set(browser.evaluate(_SHOWN)) == {name for name, verdict in by_verdict.items() if verdict == "untestable"}
    browser.click("Show all")
    assert len(browser.evaluate(_SHOWN)) == len(by_verdict)
    _search(browser, "AZ-SipAccount.sip.")
    assert set(browser.evaluate(_SHOWN)) == {name for name in by_verdict if name.startswith("AZ-SipAccount.sip.")}
    _search(browser, "no such words anywhere")
    assert browser.evaluate(_SHOWN) == []
    assert "No clause fits" in browser.text()
    browser.click("Show all")
    section = next(item["source"] for item in embedded.verdicts["clauses"] if item["id"] == "AZ-quota-used-counts")
    browser.evaluate("document.querySelector('[id=AZ-quota-used-counts] [data-words]').click()")
    same = {item["id"] for item in embedded.verdicts["clauses"] if section in item["source"]}
    assert same <= set(browser.evaluate(_SHOWN))
    assert len(browser.evaluate(_SHOWN)) < len(by_verdict)


def _search(browser: Browser, words: str) -> None:
    browser.evaluate(
        f"{{ const field = document.querySelector('[name=words]'); field.value = {words!r};"
        " field.dispatchEvent(new Event('input', {bubbles: true})) }"
    )


def test_the_report_opens_from_a_folder_without_a_server(report: Done, embedded: Done, browser: Browser) -> None:
    del report
    folder = embedded.run_dir / "allure-report"
    browser.open((folder / "index.html").as_uri())
    browser.wait_for("KPN Apidaze")
    browser.click("Clause matrix")
    browser.wait_for(_ALL)
    browser.open((embedded.run_dir / "clauses.html").as_uri())
    browser.wait_for(_ALL)


def test_a_run_in_ci_names_its_job_and_a_second_run_has_a_history(browser: Browser, tmp_path: Path) -> None:
    need(find_allure(), "the allure command")
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "example/voice",
        "GITHUB_RUN_ID": "4711",
        "GITHUB_RUN_NUMBER": "12",
        "GITHUB_WORKFLOW": "nightly",
    }
    for number in (1, 2):
        run = (
            "run",
            "--system",
            "apidaze",
            "--workers",
            "1",
            "-k",
            "listSipAccounts",
            "--run-dir",
            f"reports/{number}",
        )
        done = ringtrue(*run, folder=tmp_path, environment=job)
        assert done.code == 0, done
        # As a run of everything would be: a part alone is not kept as history.
        verdicts = tmp_path / "reports" / str(number) / "verdicts.json"
        data = json.loads(verdicts.read_text(encoding="utf-8"))
        assert data["complete"] is False
        verdicts.write_text(json.dumps({**data, "complete": True}), encoding="utf-8")
        for _ in range(number):  # the second one is built twice, and counts once
            assert ringtrue("report", f"reports/{number}", folder=tmp_path, environment=job).code == 0
    history = list((tmp_path / "reports" / "history").iterdir())
    assert [path.name for path in history] == ["embedded-reference-platform.jsonl"]
    assert len(history[0].read_text(encoding="utf-8").splitlines()) == 2
    browser.open((tmp_path / "reports" / "2" / "allure-report" / "index.html").as_uri())
    shown = browser.wait_for("KPN Apidaze")
    assert "#12" in shown
    assert "New tests" not in shown, "the first run is known"
    links = browser.evaluate("[...document.querySelectorAll('a')].map(one => one.href)")
    assert "https://github.com/example/voice/actions/runs/4711" in links, links


def test_report_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    done = ringtrue("report", folder=tmp_path)
    assert done.code == 3
    assert "no Allure results there" in done.err
    assert "ringtrue run" in done.err

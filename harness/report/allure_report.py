"""Builds the Allure report of a run with the `allure` command (npm package `allure`, version 3), and serves it.

The report is made static and silent: the analytics script that the generator embeds is taken out again.
"""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path

REPORT = "allure-report"
_CONFIG = {"name": "Ringtrue", "plugins": {"awesome": {"options": {"groupBy": ["epic", "feature", "story"]}}}}
BUILD_SECONDS = 300
_ANALYTICS = re.compile(
    r"<script\b[^>]*>(?:(?!</script>).)*?(?:googletagmanager|gtag\()(?:(?!</script>).)*?</script>", re.DOTALL
)
_ANALYTICS_SOURCE = re.compile(r"<script\b[^>]*googletagmanager[^>]*>\s*</script>", re.DOTALL)


class ReportError(Exception):
    """The report cannot be built; the message says what to do."""


def find_allure() -> Path | None:
    """The `allure` command: beside this Python (where `make` puts it), else in PATH."""
    beside = Path(sys.executable).parent / "allure"
    if beside.exists():
        return beside
    found = shutil.which("allure")
    return Path(found) if found else None


def build(run_dir: Path) -> Path:
    """Build the report of a run; the path of its first page.

    Raises:
        ReportError: no such run, no results in it, no `allure` command, or the command failed.
    """
    results = run_dir / "allure-results"
    if not results.is_dir() or not any(results.iterdir()):
        raise ReportError(f"{run_dir}: no Allure results there. `ringtrue run` makes them; name a run's folder")
    allure = find_allure()
    if allure is None:
        raise ReportError("the allure command is missing. `make setup` installs it, or: npm install --global allure@3")
    output = run_dir / REPORT
    config = run_dir / "allurerc.json"
    config.write_text(
        '{"name": "Ringtrue", "plugins": {"awesome": {"options": {"groupBy": ["epic", "feature", "story"]}}}}\n'
    )
    command = [str(allure), "generate", str(results), "--output", str(output), "--config", str(config)]
    environment = {**os.environ, "ALLURE_NO_ANALYTICS": "1", "CI": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=BUILD_SECONDS, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReportError(f"the allure command did not do its work: {error}") from error
    page = _first_page(output)
    if done.returncode != 0 or page is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ReportError(f"the allure command failed ({done.returncode}): {said[-1] if said else 'it said nothing'}")
    for html in output.rglob("*.html"):
        _silence(html)
    return page


def _first_page(output: Path) -> Path | None:
    pages = [output / "index.html", output / "awesome" / "index.html"]
    return next((page for page in pages if page.is_file()), None)


def _silence(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    quiet = _ANALYTICS.sub("", _ANALYTICS_SOURCE.sub("", text))
    if quiet != text:
        page.write_text(quiet, encoding="utf-8")


def serve(page: Path, *, open_browser: bool) -> None:
    """Serve a report on loopback until interrupted."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(page.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        print(f"{url}  (Ctrl-C ends)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server.serve_forever()

"""Builds the Allure report of a run with the `allure` command (npm package `allure`, version 3), and serves it.

The report is made static and silent: the analytics script that the generator embeds is taken out again.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.report.browse.allure_config import HISTORY, allure_config, history_file, report_name
from harness.report.browse.clause_page import PAGE, Beside, read_proof, render
from harness.report.results import VERDICTS
from harness.yamlfile import DataError

REPORT = "allure-report"
BUILD_SECONDS = 300
_ANALYTICS = re.compile(
    r"<script\b[^>]*>(?:(?!</script>).)*?(?:googletagmanager|gtag\()(?:(?!</script>).)*?</script>", re.DOTALL
)
_ANALYTICS_SOURCE = re.compile(r"<script\b[^>]*googletagmanager[^>]*>\s*</script>", re.DOTALL)
# Allure makes no link of an address beside it, so a click on the name of a clause is taken here. And its first page opens
# scrolled to one of the tests, past the conclusion: until somebody touches it, it stays at its head.
_LINK = """<a href="clauses.html" style="position:fixed;right:16px;bottom:16px;z-index:1000;padding:7px 16px;\
border-radius:20px;background:#0a58ca;color:#fff;font:600 14px/20px system-ui,sans-serif;text-decoration:none;\
box-shadow:0 1px 6px #0006">Clause matrix</a>
<style>[data-testid="test-result-meta-link"] { cursor: pointer }</style>
<script>
document.addEventListener("click", event => {
  const link = event.target.closest('[data-testid="test-result-meta-link"]');
  const clause = link && /^([A-Z]{2,3}-\\S+): /.exec(link.innerText.trim());
  if (clause) location.href = "clauses.html#" + encodeURIComponent(clause[1]);
});
{
  const head = document.documentElement.dataset;
  const stay = event => {
    if (location.hash.length > 1 || !event.target.scrollTop || head.kept > 2) return;
    event.target.scrollTop = 0;
    head.kept = Number(head.kept ?? 0) + 1;
  };
  addEventListener("scroll", stay, true);
  for (const touch of ["wheel", "pointerdown", "touchstart", "keydown", "click"])
    addEventListener(touch, () => removeEventListener("scroll", stay, true), {once: true, capture: true});
}
</script>
"""


class ReportError(Exception):
    """The report cannot be built; the message says what to do."""


def find_allure() -> Path | None:
    """The `allure` command: beside this Python (where `make` puts it), else in PATH."""
    beside = Path(sys.executable).parent / "allure"
    if beside.exists():
        return beside
    found = shutil.which("allure")
    return Path(found) if found else None


def build(run_dir: Path, *, history: Path | None = None) -> Path:
    """Build the report of a run, and the page with its clauses beside it; the path of the first page.

    `history`: the folder that keeps earlier runs for trends (by default the one around the run); a whole run is added to it.

    Raises:
        ReportError: no such run, no results in it, no `allure` command, or the command failed.
    """
    results = run_dir / "allure-results"
    if not results.is_dir() or not any(results.iterdir()):
        raise ReportError(
            f"{run_dir}: no Allure results there. `ringtrue run` makes them, as does pytest with --alluredir: "
            "name a run's folder"
        )
    allure = find_allure()
    if allure is None:
        raise ReportError("the allure command is missing. `make setup` installs it, or: npm install --global allure@3")
    output = run_dir / REPORT
    run = _read(run_dir / VERDICTS)
    if run is None:
        _generate(
            allure, results, output, {"name": "Ringtrue", "plugins": {"awesome": {"options": {"singleFile": True}}}}
        )
    else:
        folder = history or run_dir.resolve().parent / HISTORY
        _generate_with_history(allure, results, output, run, folder / history_file(str(run["target"])))
        try:
            proof = read_proof(run_dir)
        except DataError as error:
            raise ReportError(str(error)) from error
        text = render(run, Beside(run="..", report="index.html", proof=proof))
        (output / PAGE).write_text(text, encoding="utf-8", errors="backslashreplace")
    page = output / "index.html"
    _finish(page, link=run is not None)
    return page


def _read(verdicts: Path) -> dict[str, Any] | None:
    """What the run found; None for a run that did not get so far."""
    if not verdicts.exists():
        return None
    try:
        run: dict[str, Any] = json.loads(verdicts.read_text(encoding="utf-8"))
        run["footer"]["clauses"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{verdicts}: truncated, or not of Ringtrue ({error!r}). Judge again") from error
    return run


def _generate_with_history(allure: Path, results: Path, output: Path, run: dict[str, Any], history: Path) -> None:
    """Generate with the trend of earlier runs. A report that is built again does not count its run twice."""
    lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
    name = json.dumps(report_name(run), ensure_ascii=False)
    earlier = [line for line in lines if f'"name":{name}' not in line]
    draft = output.with_name(f".{history.name}")
    draft.write_text("".join(f"{line}\n" for line in earlier), encoding="utf-8")
    try:
        _generate(allure, results, output, allure_config(run, str(draft.resolve()), append=bool(run["complete"])))
        if run["complete"]:
            history.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(draft, history.with_name(f".{history.name}"))
            history.with_name(f".{history.name}").replace(history)
    except OSError as error:
        raise ReportError(f"{history}: the history cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _generate(allure: Path, results: Path, output: Path, config: Mapping[str, Any]) -> None:
    told = output.with_name("allurerc.json")
    told.write_text(json.dumps(config, indent=1), encoding="utf-8")
    command = [str(allure), "generate", str(results), "--output", str(output), "--config", str(told)]
    environment = {**os.environ, "ALLURE_NO_ANALYTICS": "1", "CI": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=BUILD_SECONDS, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReportError(f"the allure command did not do its work: {error}") from error
    finally:
        told.unlink(missing_ok=True)
    if done.returncode != 0 or not (output / "index.html").is_file():
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ReportError(f"the allure command failed ({done.returncode}): {said[-1] if said else 'it said nothing'}")


def _finish(page: Path, *, link: bool) -> None:
    """Take out what would ask somebody else for something, and put in the way to the clauses."""
    text = page.read_text(encoding="utf-8")
    head, body, rest = _ANALYTICS.sub("", _ANALYTICS_SOURCE.sub("", text)).rpartition("</body>")
    page.write_text(head + (_LINK if link else "") + body + rest, encoding="utf-8")


def serve(page: Path, *, open_browser: bool) -> None:
    """Serve a report on loopback until interrupted."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(page.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        print(f"{url}  (Ctrl-C ends)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server.serve_forever()

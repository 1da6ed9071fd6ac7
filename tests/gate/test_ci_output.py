"""What CI systems read of a run is well-formed, bounded and harmless, whatever a target sent."""

from __future__ import annotations

import itertools
import json
import re
import xml.parsers.expat
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from markdown_it import MarkdownIt

from harness.clauses import Catalogue
from harness.report.ci.annotations import github_lines, wanted
from harness.report.ci.sarif import to_sarif
from harness.report.ci.summary import MOST_BYTES, to_markdown
from harness.verdicts import Finding, Verdict, Waiver, judge
from tests.e2e.command import Done
from tests.gate.lamp import lamps, run
from tests.report.runs import BROKEN, CATALOGUE, clause, finished, record

HOSTILE = (
    "::error::x\r\n::set-output name=a::b ##[error]y %0A\x00\x1b[31m\x07\ud800\ufffe\u2028]]> <!-- <b>&amp; `a``b` "
    "| [click](javascript:alert(1)) ![p](http://evil.example/p.png) <script>alert(1)</script> @someone #12 "
    "http://evil.example www.evil.example *bold* _it_ ~~gone~~ \\\n\n# head\n- item\n\u202eright"
)
# The parts of SARIF 2.1.0 that are used, as its schema has them.
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "additionalProperties": False,
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name"],
                            "additionalProperties": False,
                            "properties": {
                                "name": {"type": "string"},
                                "version": {"type": "string"},
                                "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/rule"}},
                            },
                        }
                    },
                },
                "invocations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["executionSuccessful"],
                        "additionalProperties": False,
                        "properties": {
                            "executionSuccessful": {"type": "boolean"},
                            "exitCode": {"type": "integer"},
                        },
                    },
                },
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "rule": {
            "type": "object",
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "shortDescription": _TEXT,
                "help": _TEXT,
                "properties": {
                    "type": "object",
                    "properties": {"tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}},
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": _TEXT,
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {
                                    "artifactLocation": {
                                        "type": "object",
                                        "required": ["uri"],
                                        "properties": {"uri": {"type": "string", "pattern": r"^[^\s:\\/][^\s\\:]*$"}},
                                    }
                                },
                            }
                        },
                    },
                },
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                "baselineState": {"enum": ["new", "unchanged", "updated", "absent"]},
                "suppressions": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["kind"],
                        "additionalProperties": False,
                        "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}},
                    },
                },
            },
        },
    },
}


def hostile(count: int = 1) -> list[Finding]:
    return [
        replace(BROKEN, message=HOSTILE, subject=HOSTILE + "x" * place, expected=HOSTILE, seen=HOSTILE * 50)
        for place in range(count)
    ]


def test_a_summary_shows_hostile_words_as_words() -> None:
    text = to_markdown(record(Path("run"), finished(tuple(hostile(3)))))
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "em_open", "s_open", "fence", "hr"}, kinds
    headings = [after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"]
    assert headings == ["❌ Ringtrue: deviates: 1 clause failed", "What deviates"]
    assert not re.search(r"@\w|https?://|www\.\w", re.sub(r"`[^`]*`", "", text))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u202e\ud800]", text)


def test_a_summary_of_everything_broken_is_bounded() -> None:
    many = Catalogue([clause(f"broken-{place}") for place in range(5000)])
    findings = [replace(BROKEN, clause=item.id, message="é" * 5000, seen="ü" * 5000) for item in many]
    text = to_markdown(record(Path("run"), finished(tuple(findings), many)))
    assert len(text.encode()) <= MOST_BYTES
    assert "more lines in verdicts.json" in text
    assert "| all |" in text


def test_annotations_stay_in_their_line_and_are_few() -> None:
    many = Catalogue([clause(f"broken-{place}") for place in range(30)])
    findings = [replace(finding, clause=item.id) for item in many for finding in hostile()]
    lines = github_lines(record(Path("run"), finished(tuple(findings), many)))
    assert len(lines) == 10
    assert lines[-1] == "::error title=Ringtrue::and 21 more: see summary.md and verdicts.json of the run"
    for line in lines:
        assert line.isprintable(), line
        properties, _, message = line.removeprefix("::error ").partition("::")
        assert re.fullmatch(r"title=[^:,]*", properties), line
        assert len(message) < 3000
        assert "%0A" in message or line is lines[-1]
    assert "FAIL TY-broken-0" in lines[0]


def test_annotations_say_why_nothing_can_be_said_and_which_waiver_is_red() -> None:
    assert github_lines(record(Path("run"), finished((Finding("TY-kept", Verdict.ERROR, "x"),)))) == [
        "::error title=Ringtrue::nothing can be said: 1 clause ended in an error of the harness"
    ]
    waiver = Waiver("TY-kept", "0" * 12, "known", "anna", record(Path("run")).verdict.scope.today)
    scope = replace(finished().scope, waivers=(waiver,))
    found = judge(Catalogue([clause("kept")]), [Finding("TY-kept", Verdict.PASS)], scope)
    assert github_lines(record(Path("run"), found)) == [
        "::error title=WAIVER TY-kept::passing: the clause is kept now: remove the waiver (anna)"
    ]


@pytest.mark.parametrize(("choice", "on_github", "printed"), [("auto", "true", True), ("auto", "", False),
    ("github", "", True), ("none", "true", False)])  # fmt: skip
def test_annotations_are_for_github_unless_asked_for(
    choice: str, on_github: str, printed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", on_github)
    assert wanted(choice) is printed


def test_sarif_is_valid_for_what_it_uses() -> None:
    waiver = Waiver(BROKEN.clause, hostile()[0].fingerprint, "known", "anna", finished().scope.today)
    run = judge(CATALOGUE, [*hostile(2), BROKEN], replace(finished().scope, waivers=(waiver,)))
    data = json.loads(json.dumps(to_sarif(record(Path("run"), run))))
    jsonschema.validate(data, _SARIF, jsonschema.Draft202012Validator)
    results = data["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["TY-broken"] * 3
    assert [len(result.get("suppressions", ())) for result in results].count(1) == 1
    assert {result["level"] for result in results} == {"error"}
    assert {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results} == {
        "staging.toml"
    }
    rules = data["runs"][0]["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in results] == ["TY-broken"] * 3
    inferred = to_sarif(record(Path("run"), finished((Finding("TY-usual", Verdict.FAIL, "odd"),))))
    assert inferred["runs"][0]["results"][0]["level"] == "warning"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run on GitHub against a platform that sends what a machine could take for its own."""
    with lamps() as platform:
        text = HOSTILE.replace("\ud800", "")
        platform.bodies["attic"] = json.dumps({"state": text, "age": text}).encode()
        platform.bodies["entry"] = json.dumps({"state": HOSTILE}).encode()
        platform.bodies["bath"] = b'{"state": "\xff\xfe\x00\x01 ]]>"}'
        platform.bodies["cellar"] = json.dumps({"state": "]]></failure>" + "A" * 3_000_000}).encode()
        platform.bodies["door"] = b"\n::error::door\n::stop-commands::x\n"
        return run(
            platform, tmp_path_factory.mktemp("attacked"), "-k", "valid", "--sarif", "out/r.sarif", "--junit",
            "out/j.xml", "-v", environment={"GITHUB_ACTIONS": "true"},
        )  # fmt: skip


def test_junit_of_a_hostile_target_parses_strictly(attacked: Done) -> None:
    assert attacked.code == 1, attacked
    raw = (attacked.run_dir / "junit.xml").read_bytes()
    assert raw == (attacked.folder / "out" / "j.xml").read_bytes()
    names: list[str] = []
    parser = xml.parsers.expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: names.append(name)
    parser.Parse(raw.decode("utf-8", "strict").encode(), True)
    assert names.count("testcase") == 6
    assert names.count("failure") >= 2
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]", raw.decode())
    assert len(raw) < 1_000_000


def test_the_runner_takes_nothing_of_a_hostile_target_for_a_command(attacked: Done) -> None:
    lines = attacked.out.splitlines()
    stop = next(line for line in lines if line.startswith("::stop-commands::"))
    token = stop.rpartition("::")[2]
    assert len(token) == 32
    again = lines.index(f"::{token}::")
    assert lines.index(stop) == 0
    ours = lines[again + 1 :]
    assert ours
    assert all(line.startswith("::error title=") for line in ours)
    assert any("LA-Attic.state" in line for line in ours), ours
    assert "Traceback" not in attacked.out + attacked.err


def test_all_files_for_pipelines_are_bounded_and_there(attacked: Done) -> None:
    assert (attacked.run_dir / "summary.md").stat().st_size < MOST_BYTES
    (attacked.run_dir / "summary.md").read_text(encoding="utf-8", errors="strict")
    jsonschema.validate(
        json.loads((attacked.folder / "out" / "r.sarif").read_text(encoding="utf-8")),
        _SARIF,
        jsonschema.Draft202012Validator,
    )
    assert (attacked.run_dir / "verdicts.json").stat().st_size < 5_000_000


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with lamps() as platform:
        for option in ("--sarif", "--junit"):
            done = run(platform, tmp_path, "-k", "valid and attic", option, "file/x")
            assert done.code == 2, done
            assert f"{option} file/x: cannot be written" in done.err, done

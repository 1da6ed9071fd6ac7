"""`ringtrue record` and `ringtrue check` as users run them: between a platform and an application, and on files.

The call is one of the IVR, with a digit, between the reference platform and the application of its tests.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import httpx
import pytest

from harness.checks import check_timeline
from harness.contract import load_contracts
from harness.timeline import Exchange, HttpExchange, SipMessage, Timeline
from harness.verdicts import Verdict
from tests.e2e.command import Done, Running, ringtrue
from tests.e2e.conftest import need, once
from tests.recordings.build import Item, as_recorded, scene, write_capture, write_flows, write_har_of, wrong
from tests.reference.mediaservice.application import Application
from tests.reference.mediaservice.bench import run
from tests.reference.mediaservice.phones import Phones
from tests.reference.platform_process import Platform

DIGIT = "5"
_WAIT = 30.0


def recorded(folder: Path, *faults: str, wrong_answer: bool = False) -> Done:
    """Record one IVR call; `wrong_answer`: the application answers with another session's id."""
    arguments = [part for fault in faults for part in ("--fault", fault)]
    with Platform("--system", "mediaservice", *arguments) as platform:
        done: list[Done] = []
        run(_call(platform, folder, done, wrong_answer=wrong_answer), 60.0)
    return done[0]


async def _call(platform: Platform, folder: Path, done: list[Done], *, wrong_answer: bool) -> None:
    table = platform.ready["systems"]["mediaservice"]
    root = table["base_url"].removesuffix("/mediaservice")
    async with Application() as app, Phones() as phones:
        arguments = ["record", "--system", "mediaservice", "--forward", app.url, "--api", table["base_url"]]
        with Running(*arguments, "--run-dir", folder / "record", folder=folder) as recorder:
            await asyncio.to_thread(recorder.wait_for, lambda: recorder.said()[0].count("→") == 2, _WAIT, "listeners")
            callbacks, api = (line.partition(" calls ")[2].split()[0] for line in recorder.said()[0].splitlines()[:2])
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.put(f"{root}/_platform/callback", json={"url": callbacks})
                assert answer.status_code == 204
                listed = await client.get(f"{api}/{table['domain']}/promptfile")
                assert listed.json()["success"] is True
            commands = [{"dtmf": {"maxDigits": 1, "firstTimeout": 5}}, {"hangup": True}]
            app.answers["newCall"] = {"action": "ivr"}
            app.answers["getIvrCommand"] = [
                lambda members, command=command: {
                    **command, "sessionId": "another" if wrong_answer else members["sessionId"],
                }
                for command in commands
            ]  # fmt: skip
            caller = await phones.call("ivr1", table["sip"]["address"])
            await app.wait("getIvrCommand")
            await caller.press(DIGIT)
            await caller.ended()
            await asyncio.to_thread(
                recorder.wait_for, lambda: "sessionCompleted" in recorder.said()[0], _WAIT, "sessionCompleted"
            )
            recorder.process.send_signal(signal.SIGINT)
            done.append(await asyncio.to_thread(recorder.end, _WAIT))


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return recorded(tmp_path_factory.mktemp("record"))


def verdicts(folder: Path) -> dict[str, str]:
    found = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    return {item["id"]: item["verdict"] for item in found["clauses"]}


def decided(folder: Path) -> dict[str, str]:
    return {clause: verdict for clause, verdict in verdicts(folder).items() if verdict in ("pass", "fail", "warn")}


def test_a_call_between_an_honest_platform_and_an_application_conforms(call: Done) -> None:
    assert call.code == 0, call
    assert "callback POST /newCall: 200" in call.out
    assert "conforms: " in call.out
    assert "ringtrue report" not in call.out
    folder = call.folder / "record"
    found = decided(folder)
    assert set(found.values()) == {"pass"}
    assert {"MS-newCall.body", "MS-session-completed-once", "MS-hangup-no-more-commands"} <= set(found)
    assert "MS-listPromptFiles" in found, "the API is recorded too"
    assert json.loads((folder / "application.json").read_text()) == []
    assert len(list((folder / "ladders").glob("*.svg"))) == 2
    suite = ElementTree.parse(folder / "junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("tests")) == ("0", str(len(found)))


@pytest.mark.parametrize(
    "what", ["record", "record/timelines/recording.jsonl", "record/flows.mitm", "record/flows.har"]
)
def test_a_record_is_judged_by_check_as_it_was_live(what: str, call: Done, tmp_path: Path) -> None:
    done = ringtrue("check", call.folder / what, folder=tmp_path)
    assert done.code == call.code, done
    assert decided(done.run_dir) == decided(call.folder / "record")
    if what.startswith("record/timelines") or what == "record":
        assert verdicts(done.run_dir) == verdicts(call.folder / "record")


def test_a_record_is_judged_as_a_scenario_would_judge_it(call: Done) -> None:
    """What a run says of a timeline, which is not cut and knows of no other calls."""
    timeline = Timeline.read(call.folder / "record" / "timelines" / "recording.jsonl")
    listed = next(iter(timeline.of(HttpExchange))).request.url
    bases = {"mediaservice": listed.removesuffix("/promptfile").rpartition("/")[0]}
    findings = list(check_timeline(timeline, load_contracts(("mediaservice",)), bases, system="mediaservice"))
    assert [finding for finding in findings if finding.verdict is Verdict.FAIL] == []
    of_calls = {
        finding.clause for finding in findings if finding.verdict is Verdict.PASS and finding.clause.startswith("MS-")
    }
    assert of_calls == set(decided(call.folder / "record"))


def test_a_deviation_is_found_live_and_again_and_the_application_is_told_apart(tmp_path: Path) -> None:
    call = recorded(tmp_path, "mediaservice-sessionCompleted-shape", wrong_answer=True)
    folder = tmp_path / "record"
    assert call.code == 1, call
    assert verdicts(folder)["MS-sessionCompleted.body"] == "fail"
    assert "about the application, no promise of the platform" in call.out
    remarks = json.loads((folder / "application.json").read_text())
    assert {(each["about"], each["message"]) for each in remarks} == {
        ("getIvrCommand", "the answer has another sessionId than was asked")
    }
    again = ringtrue("check", folder, folder=tmp_path / "again")
    assert (again.code, verdicts(again.run_dir)) == (1, verdicts(folder)), again
    assert "MS-sessionCompleted.body" in again.out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Flows and captures of calls, as a user has them."""
    folder = tmp_path_factory.mktemp("files")
    for name, kind in (("honest", "ivr-call"), ("broken", "another-reference-than-answered")):
        _, items = scene(name, kind)
        flows = write_flows(folder / f"{name}.mitm", items)
        write_har_of(flows, folder / f"{name}.har")
        write_capture(folder / f"{name}.pcap", items)
    return folder


def test_flows_and_a_capture_are_judged_together(files: Path, tmp_path: Path) -> None:
    done = ringtrue("check", files / "honest.mitm", files / "honest.pcap", folder=tmp_path)
    assert done.code == 0, done
    assert "the platform's side of SIP: 127.0.0.1:5060" in done.out
    found = decided(done.run_dir)
    assert {"MS-newCall", "MS-newCall-sipCallId", "MS-newCall-action-ivr", "MS-session-completed"} <= set(found)
    alone = ringtrue("check", files / "honest.mitm", folder=tmp_path / "alone")
    assert alone.code == 0, alone
    assert set(decided(alone.run_dir)) < set(found)


@pytest.mark.parametrize("names", [["broken.mitm"], ["broken.har"], ["broken.mitm", "broken.pcap"]])
def test_a_broken_call_is_found_in_files(names: list[str], files: Path, tmp_path: Path) -> None:
    done = ringtrue("check", *(files / name for name in names), "--run-dir", tmp_path / "out", "-v", folder=tmp_path)
    assert done.code == 1, done
    assert [clause for clause, verdict in verdicts(tmp_path / "out").items() if verdict == "fail"] == [
        "MS-newCall-sessionReferenceId"
    ]
    assert "/getIvrCommand 200" in done.out, "the ladder"


def test_sip_alone_says_nothing_about_callbacks(files: Path, tmp_path: Path) -> None:
    where = ["--system", "mediaservice", "--sip", "127.0.0.1:5060"]
    done = ringtrue("check", files / "honest.pcap", *where, folder=tmp_path)
    assert done.code == 3, done
    assert "record these too and name both files" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.mitm"], "cannot be read: No such file"),
        (["notes.txt"], "not a recording that is known here"),
        (["cut.mitm"], "truncated or broken"),
        (["cut.pcap"], "truncated"),
        (["honest.mitm", "--system", "nobody"], "unknown system 'nobody'"),
        (["honest.mitm", "--target", "nothing.toml"], "nothing.toml: cannot be read"),
        (["foreign.har"], "say --system"),
        (["honest.pcap", "--system", "mediaservice"], "say --sip HOST:PORT"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_said_without_a_traceback(arguments: list[str], words: str, files: Path, tmp_path: Path) -> None:
    (files / "notes.txt").write_text("hello")
    (files / "cut.mitm").write_bytes((files / "honest.mitm").read_bytes()[:-9])
    (files / "cut.pcap").write_bytes((files / "honest.pcap").read_bytes()[:-9])
    foreign = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {"method": "GET", "url": "http://x/health"},
        "response": {"status": 200},
    }
    (files / "foreign.har").write_text(json.dumps({"log": {"entries": [foreign]}}))
    placed = [str(files / each) if "." in each and not each.startswith("-") else each for each in arguments]
    done = ringtrue("check", *placed, folder=tmp_path)
    assert done.code == 2, done
    assert words in " ".join(done.err.split()), done
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--forward", "http://127.0.0.1:9"], "which system is it? Say --system"),
        (["--system", "nobody", "--forward", "http://127.0.0.1:9"], "unknown system"),
        (["--system", "vtx", "--forward", "127.0.0.1:9"], "expected a URL"),
        (["--system", "vtx", "--forward", "http://127.0.0.1:9", "--api", "ftp://x"], "--api 'ftp://x'"),
        (["--system", "vtx", "--forward", "http://127.0.0.1:9", "--listen", "nowhere"], "expected host:port"),
        (["--system", "vtx", "--forward", "http://127.0.0.1:9", "--listen", "TAKEN"], "in use"),
        (["--system", "vtx"], "Missing option"),
    ],
)
def test_a_record_that_cannot_begin_says_why(arguments: list[str], words: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = ringtrue("record", *(address if each == "TAKEN" else each for each in arguments), folder=tmp_path)
    assert done.code == 2, done
    assert words in " ".join(done.err.split()), done
    assert "Traceback" not in done.out + done.err


def test_a_dead_application_is_a_502_for_the_platform_and_nothing_to_judge(tmp_path: Path) -> None:
    arguments = ["record", "--system", "mediaservice", "--forward", "http://127.0.0.1:9/app"]
    with Running(*arguments, folder=tmp_path) as recorder:
        recorder.wait_for(lambda: "→" in recorder.said()[0], _WAIT, "the listener")
        url = recorder.said()[0].partition(" calls ")[2].split()[0]
        answer = httpx.post(f"{url}/somewhere", json={}, trust_env=False)
        assert (answer.status_code, "127.0.0.1:9" in answer.text) == (502, True)
        recorder.process.send_signal(signal.SIGTERM)
        done = recorder.end(_WAIT)
    assert done.code == 3, done
    assert "POST /somewhere: connect: " in done.out
    assert "nothing can be said" in done.out


@pytest.mark.parametrize("system", ["vtx", "callable"])
def test_all_that_an_honest_platform_did_in_a_run_is_honest_as_a_recording(system: str, shared: Path) -> None:
    """Each scenario alone, with and without its SIP, and all of them as one: nobody's false alarm."""
    need(shutil.which("sipp"), "SIPp")
    run_dir = once(shared, system, lambda folder: ringtrue("run", "--system", system, folder=folder)).run_dir
    timelines = [Timeline.read(path) for path in sorted((run_dir / "timelines").glob("*.jsonl"))]
    remotes = Counter(message.remote for timeline in timelines for message in timeline.of(SipMessage))
    ((platform, _),) = remotes.most_common(1)
    everything: list[Item] = []
    for timeline in timelines:
        items = [item for event in timeline if (item := as_recorded(event, moved=False))]
        everything += items
        http = [item for item in items if isinstance(item, Exchange)]
        for kept in (items, http):
            assert wrong(kept, system, 30.0, platform) == [], timeline.scenario
    assert len(everything) > 200
    assert wrong(everything, system, 30.0, platform) == []


def test_the_folder_of_a_run_is_judged_again(embedded: Done, tmp_path: Path) -> None:
    done = ringtrue("check", embedded.run_dir, folder=tmp_path)
    assert done.code == 0, done
    again, before = decided(done.run_dir), decided(embedded.run_dir)
    assert len(again) > 50
    assert set(again) <= set(before), "what steps of scenarios decided is not in their timelines"

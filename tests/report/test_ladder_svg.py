"""A ladder as a picture: well-formed and static whatever the events hold, growing downwards, findings beside their row."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.report.ladder import Ladder, Lane, Mark, Plane, Row, make_ladder
from harness.report.ladder_svg import render_svg
from harness.timeline import HttpExchange, HttpRequest, HttpResponse, Note, SipMessage, Timeline
from harness.verdicts import Finding, Verdict

DATA = Path(__file__).parent / "data"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>&amp;\"'\x00\x1b[31m\x07\u202e\u2066\ufeff\ufffe\ud800]]>\u2028é漢字" + "\u0301" * 50
)


def parsed(ladder: Ladder) -> ElementTree.Element:
    return ElementTree.fromstring(render_svg(ladder).encode("utf-8"))


def words(root: ElementTree.Element) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def of_data(name: str, *findings: Finding) -> Ladder:
    return make_ladder(Timeline.read(DATA / name), findings, title="A call")


def test_it_is_well_formed_static_and_names_no_other_host() -> None:
    text = render_svg(of_data("ivr_transfer.jsonl"))
    root = ElementTree.fromstring(text)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        "svg", "title", "style", "rect", "path", "text", "tspan", "g",
    }  # fmt: skip
    assert re.findall(r"url\(|@import|href|\son\w+=", text) == []
    families = set(re.findall(r"font-family:([^;}]+)", text))
    assert families == {"sans-serif", "monospace"}


@pytest.mark.parametrize(("name", "rows"), [("ivr_transfer.jsonl", 26), ("sixty_messages.jsonl", 60)])
def test_every_row_is_drawn_and_fits_into_the_picture(name: str, rows: int) -> None:
    ladder = of_data(name)
    assert len(ladder.rows) == rows
    root = parsed(ladder)
    height, width = int(root.attrib["height"]), int(root.attrib["width"])
    texts = list(root.iter(f"{SVG}text"))
    assert all(0 < float(each.attrib["y"]) < height and 0 < float(each.attrib["x"]) <= width for each in texts)
    stamps = [each.text for each in texts if each.attrib["class"].startswith("time") and "⋮" not in (each.text or "")]
    assert stamps == [f"{row.at:.3f}" for row in ladder.rows]


def test_lanes_keep_their_width_however_long_the_chart_is() -> None:
    long = of_data("sixty_messages.jsonl")
    short = Ladder(long.title, long.lanes, long.rows[:5])
    of_short, of_long = parsed(short), parsed(long)
    assert of_short.attrib["width"] == of_long.attrib["width"]
    assert int(of_long.attrib["height"]) > 6 * int(of_short.attrib["height"]) // 2


def test_the_clause_stands_beside_the_row_in_red_or_amber() -> None:
    finding = Finding("MS-call-event", Verdict.FAIL, "another event", at=(16,))
    root = parsed(of_data("ivr_transfer.jsonl", finding))
    (named,) = [each for each in root.iter(f"{SVG}text") if each.text == "✗ MS-call-event"]
    assert "fail" in named.attrib["class"].split()
    (event,) = [each for each in root.iter(f"{SVG}text") if (each.text or "").endswith("/callEvent")]
    assert "fail" in event.attrib["class"].split()
    assert abs(float(event.attrib["y"]) - float(named.attrib["y"])) <= 2
    assert [each.attrib["class"] for each in root.iter(f"{SVG}rect") if "ed" in each.attrib["class"]] == ["failed"]


def test_warnings_are_not_red() -> None:
    row = Row(0.0, Plane.SIP, "BYE", source=1, target=0, severe=False, marks=(Mark(Verdict.WARN, "T-a", "m"),))
    root = parsed(Ladder("t", (Lane("iut", iut=True), Lane("alice")), (row,)))
    classes = {name for each in root.iter() for name in each.attrib.get("class", "").split()}
    assert {"warn", "warned"} <= classes
    assert not {"fail", "failed", "fail-s"} & classes


def test_findings_without_a_row_are_told_below() -> None:
    ladder = of_data("ivr_transfer.jsonl", Finding("T-absent", Verdict.FAIL, "nothing came"))
    assert "✗ fail T-absent: nothing came" in words(parsed(ladder))


def test_broken_arrows_repeats_and_two_step_answers_look_different() -> None:
    lanes = (Lane("client"), Lane("iut", iut=True))
    plain = Row(0.0, Plane.HTTP, "GET /", source=0, target=1)

    def drawn(**changes: object) -> str:
        row = Row(**{**{name: getattr(plain, name) for name in Row.__dataclass_fields__}, **changes})
        return render_svg(Ladder("t", lanes, (row,))).partition("</style>")[2]

    assert " dash " in drawn(answer=True)
    assert " dots " in drawn(broken=True)
    assert "×4" in drawn(times=4)
    assert ">201<" in drawn(status="201")
    assert all(sign not in drawn() for sign in (" dash ", " dots ", "×"))


def test_long_labels_are_cut_to_their_arrow_and_whole_in_the_tooltip() -> None:
    path = "/" + "long-word/" * 14
    request = HttpRequest("GET", "http://h.example" + path)
    root = parsed(make_ladder([HttpExchange(1.0, request=request, response=HttpResponse(200))]))
    (label,) = [each for each in root.iter(f"{SVG}text") if (each.text or "").startswith("GET")]
    assert label.text is not None
    assert len(label.text) < 45
    assert any(path in (each.text or "") for each in root.iter(f"{SVG}title"))


def test_hostile_bytes_anywhere_leave_it_well_formed_and_spelt_out() -> None:
    request = HttpRequest(
        HOSTILE, f"http://h/{HOSTILE}", (("x", HOSTILE),), HOSTILE.encode("utf-8", "replace") + b"\xff\x00"
    )
    response = HttpResponse(200, (("y", HOSTILE),), b'{"event": "\\u202e\\ud800<b>"}', HOSTILE)
    events = [
        HttpExchange(
            1.0, seq=0, system=HOSTILE, request=request, response=response, ended=4.0, about={"case": HOSTILE}
        ),
        HttpExchange(5.0, seq=1, request=request, failure=HOSTILE),
        SipMessage(6.0, HOSTILE, "in", HOSTILE, HOSTILE, f"{HOSTILE}\r\nCSeq: {HOSTILE}\r\n\r\n{HOSTILE}", seq=2),
        SipMessage(7.0, "a", "out", "l", "r", f"BYE sip:{HOSTILE} SIP/2.0\r\nReason: {HOSTILE}\r\n\r\n", seq=3),
        Note(8.0, HOSTILE, HOSTILE, seq=4),
    ]
    finding = Finding(HOSTILE, Verdict.FAIL, HOSTILE, at=(0,))
    absent = Finding("T-b", Verdict.FAIL, HOSTILE)
    root = parsed(make_ladder(events, [finding, absent], title=HOSTILE))
    assert "script" not in {each.tag.removeprefix(SVG) for each in root.iter()}
    everything = "".join(root.itertext())
    assert re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff\u2028]", everything) is None
    assert "\\u202e" in everything
    assert "<script>" in everything
    assert "\u0301\u0301" not in everything


def test_megabytes_of_body_make_no_large_picture() -> None:
    request = HttpRequest("POST", "http://h/" + "a" * 100_000, (), b'{"event": "' + b"x" * 3_000_000 + b'"}')
    events = [HttpExchange(float(n), seq=n, request=request, response=HttpResponse(200)) for n in range(3)]
    assert len(render_svg(make_ladder(events))) < 40_000

"""What verbs do once the target has answered: heard, in order, connected, and ended."""

from __future__ import annotations

import io
import time
import wave

import pytest

from tests.reference.callable.agents import Agents, invite_to, media_of, port_of, starts
from tests.reference.callable.client import HANGUP, Application, Client, dial, say

NUMBER = "+441632960951"


def _wav(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join((n * 700 % 20000).to_bytes(2, "little") for n in range(int(8000 * seconds))))
    return file.getvalue()


def test_say_is_heard_as_rtp_at_the_address_of_the_answer(client: Client, agents: Agents) -> None:
    with agents.probe("desk") as probe, agents.answering("desk", variables=probe.variables) as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("one moment please"), HANGUP)
        assert desk.wait(5).outcome == "done"
        received = probe.close().data["received"]
    assert received["sound_ms"] > 500, received


def test_play_is_heard_and_a_file_that_cannot_be_had_is_left_out(
    client: Client, agents: Agents, application: Application
) -> None:
    application.answers["/bell.wav"] = (200, _wav(0.5))
    application.answers["/none.wav"] = (404, b"")
    application.answers["/noise.wav"] = (200, b"no sound")
    plays = [{"play": {"url": f"{application.url}/{name}.wav"}} for name in ("none", "noise", "bell")]
    with agents.probe("desk") as probe, agents.answering("desk", variables=probe.variables) as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", *plays, HANGUP)
        assert desk.wait(5).outcome == "done"
        assert 300 < probe.close().data["received"]["sound_ms"] < 700


def test_gather_takes_digits_until_its_finishing_key(client: Client, agents: Agents, application: Application) -> None:
    client.hook(application.url + "/events")
    with agents.probe("desk") as probe, agents.answering("desk", variables=probe.variables) as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", {"gather": {"timeout": 4}}, HANGUP)
        probe.send_to(media_of(invite_to(desk)))
        application.wait_event("call.answered")
        assert probe.send_digits("47#")
        assert application.wait_event("call.gathered").json["digits"] == "47"
        assert desk.wait(5).outcome == "done"


def test_gather_ends_with_enough_digits_or_when_none_come(
    client: Client, agents: Agents, application: Application
) -> None:
    client.hook(application.url + "/events")
    with agents.probe("desk") as probe, agents.answering("desk", variables=probe.variables) as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", {"gather": {"maxDigits": 2}}, {"gather": {"timeout": 1}}, HANGUP)
        probe.send_to(media_of(invite_to(desk)))
        application.wait_event("call.answered")
        assert probe.send_digits("12")
        assert application.wait_event("call.gathered").json["digits"] == "12"
        assert application.wait(lambda one: one.json.get("digits") == "").json["event"] == "call.gathered"
        assert desk.wait(5).outcome == "done"


def test_dial_connects_both_ways_and_presents_its_caller_id(client: Client, agents: Agents) -> None:
    with (
        agents.probe("desk") as desk_ear,
        agents.probe("party") as party_ear,
        agents.answering("desk", variables=desk_ear.variables) as desk,
        agents.answering("party", variables=party_ear.variables, hold=1500) as party,
    ):
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("hi"), dial(NUMBER, callerId="+441632960779"))
        for ear, invite in ((desk_ear, invite_to(desk)), (party_ear, invite_to(party))):
            ear.send_to(media_of(invite))
        assert f"INVITE sip:{NUMBER}@" in invite_to(party).text
        assert "From: <sip:+441632960779@" in invite_to(party).text
        heard = desk_ear.packets
        desk_ear.stream("tone")
        party_ear.stream("tone")
        assert party_ear.wait_sound(200)
        assert desk_ear.wait_packets(heard + 30)
        assert party_ear.send_digits("5")
        assert desk_ear.wait_digits(1) == "5"
        assert party.wait(5).outcome == "done"
        result = desk.wait(5)
    assert result.outcome == "done"
    assert "in BYE" in starts(result)


def test_when_the_target_hangs_up_the_dialled_party_is_hung_up(client: Client, agents: Agents) -> None:
    with agents.answering("desk", hold=500) as desk, agents.answering("party") as party:
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", dial(NUMBER))
        assert desk.wait(5).outcome == "done"
        result = party.wait(5)
    assert result.outcome == "done"
    assert "in BYE" in starts(result)


def test_dial_gives_up_after_its_timeout_and_the_next_verb_runs(client: Client, agents: Agents) -> None:
    with agents.answering("desk") as desk, agents.start("uas_cancelled.xml", "party") as party:
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", dial(NUMBER, timeout=1), say("nobody is there"), HANGUP)
        given_up = party.wait(5)
        assert given_up.outcome == "done"
        assert "in CANCEL" in starts(given_up)
        assert desk.wait(5).outcome == "done"


def test_a_connection_ends_after_its_time_limit(client: Client, agents: Agents) -> None:
    with agents.answering("desk") as desk, agents.answering("party") as party:
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address))
        began = time.monotonic()
        client.call_extension("601", dial(NUMBER, timeLimit=1))
        results = [party.wait(5), desk.wait(5)]
        assert 1 <= time.monotonic() - began < 3
    assert all(result.outcome == "done" and "in BYE" in starts(result) for result in results)


def test_all_targets_of_a_dial_are_called_and_the_first_to_answer_is_connected(client: Client, agents: Agents) -> None:
    with (
        agents.answering("desk") as desk,
        agents.start("uas_cancelled.xml", "slow") as slow,
        agents.answering("quick", hold=300) as quick,
    ):
        client.set_carrier(slow.address)
        client.gateway("601", client.trunk(desk.address))
        targets = [{"phoneNumber": {"number": NUMBER}}, {"sipUri": {"uri": f"sip:quick@{quick.address}"}}]
        client.call_extension("601", {"dial": {"targets": targets}})
        assert quick.wait(5).outcome == "done"
        assert "in CANCEL" in starts(slow.wait(5))
        assert desk.wait(5).outcome == "done"


def test_verbs_run_in_order_and_stop_when_the_target_hangs_up(client: Client, agents: Agents) -> None:
    port = port_of(client.table["pstn"]["listen"])
    with agents.answering("desk", hold=300) as desk, agents.answering("party", port=port, timeout=1.5) as party:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("a long text that takes more time than the target has"), dial(NUMBER))
        assert desk.wait(5).outcome == "done"
        assert party.wait(4).messages == ()


@pytest.mark.parametrize("verb", [{"reject": {}}, HANGUP, {"reject": {"reason": "busy"}}])
def test_reject_and_hangup_end_an_answered_call_and_nothing_runs_after_them(
    client: Client, agents: Agents, application: Application, verb: dict[str, object]
) -> None:
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", verb, {"redirect": {"url": application.url + "/more"}})
        assert starts(desk.wait(5))[-2:] == ["in BYE", "out 200"]
    assert application.heard == []


def test_redirect_goes_on_with_the_verbs_of_a_url(client: Client, agents: Agents, application: Application) -> None:
    more = application.says("/more", dial(NUMBER, callerId="+441632960780"))
    with agents.answering("desk") as desk, agents.answering("party", hold=100) as party:
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address))
        call = client.call_extension("601", {"redirect": {"url": more}}, say("never said"))
        assert "From: <sip:+441632960780@" in invite_to(party).text
        assert desk.wait(5).outcome == "done"
    asked = application.heard[0]
    assert (asked.method, asked.json["callId"], asked.json["action"]) == ("POST", call, "redirect")


def test_verbs_that_redirect_in_a_circle_come_to_an_end(
    client: Client, agents: Agents, application: Application
) -> None:
    circle = application.url + "/circle"
    application.says("/circle", {"redirect": {"url": circle}})
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", {"redirect": {"url": circle}})
        assert desk.wait(9).outcome == "done"
    assert len(application.heard) < 600

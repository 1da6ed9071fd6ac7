"""Promises that a healthy Callable system keeps in calls and towards hooks, with the faults that break them; for tests."""

from __future__ import annotations

import asyncio

from harness.reference.media import wav_bytes
from tests.reference.callable.client import HANGUP, Json, dial, say
from tests.reference.callable.in_process import DEADLINE, QUIET, TONE, Rig, until
from tests.reference.callable.promises_http import breaks

_NUMBER = "+441632960951"
_DIAL = dial(_NUMBER)


def _caller(party_call: object) -> str:
    return str(party_call.request.from_.user)  # type: ignore[attr-defined]


def _called(party_call: object) -> str:
    return str(party_call.request.uri).partition(":")[2].partition("@")[0]  # type: ignore[attr-defined]


@breaks(
    "call-not-dialled", "extension-not-dialled", "extension-at-carrier", "gateway-rings-nobody", "gateway-other-port"
)
async def _the_desk_is_dialled(rig: Rig) -> bool:
    return await rig.voice(HANGUP) == 201 and await rig.desk.called(rig.soon)


@breaks("call-dialled-twice")
async def _dialled_once(rig: Rig) -> bool:
    await rig.voice(say("x"), HANGUP)
    await rig.desk.hung_up()
    return len(rig.desk.calls) == 1


@breaks("refused-call-dialled")
async def _a_refused_call_dials_nobody(rig: Rig) -> bool:
    await rig("POST", "/channels/voice", {"target": {"extension": {"extension": "601"}}})
    return await rig.desk.left_alone()


@breaks("caller-id-ignored")
async def _the_caller_id_is_presented(rig: Rig) -> bool:
    await rig.voice(HANGUP, callerId="+441632960777")
    return await rig.desk.called() and _caller(rig.desk.calls[0]) == "+441632960777"


@breaks("blank-caller-id-anonymous", "default-caller-other")
async def _the_mbn_is_presented_by_default(rig: Rig) -> bool:
    await rig.voice(HANGUP)
    mbn = (await rig("GET", "")).json()["mbn"]
    return await rig.desk.called() and _caller(rig.desk.calls[0]) == f"+{mbn}"


@breaks("tagged-call-not-dialled")
async def _a_tagged_call_is_made(rig: Rig) -> bool:
    return await rig.voice(HANGUP, tag={"data": {"a": "b"}}) == 201 and await rig.desk.called(rig.soon)


@breaks("number-not-dialled", "number-altered")
async def _a_number_comes_out_at_the_carrier(rig: Rig) -> bool:
    await rig.voice(HANGUP, target={"phoneNumber": {"number": _NUMBER}})
    return await rig.carrier.called(rig.soon) and _called(rig.carrier.calls[0]) == _NUMBER


@breaks("override-ignored")
async def _override_to_is_called(rig: Rig) -> bool:
    await rig.voice(HANGUP, target={"extension": {"extension": "601", "overrideTo": "231"}})
    return await rig.desk.called() and _called(rig.desk.calls[0]) == "231"


@breaks("sip-uri-at-carrier", "device-target-not-dialled")
async def _sip_uris_and_devices_are_called(rig: Rig) -> bool:
    await rig.voice(HANGUP, target={"sipUri": {"uri": f"sip:bob@{rig.pbx.address}"}})
    gateway = (await rig("GET", "/device")).json()[0]["id"]
    await rig.voice(HANGUP, target={"device": {"id": gateway}})
    return await rig.pbx.called(rig.soon) and await rig.desk.called(rig.soon)


@breaks("verbs-not-run", "hangup-ignored")
async def _a_hangup_ends_the_call(rig: Rig) -> bool:
    await rig.voice(HANGUP)
    return await rig.desk.hung_up(rig.soon)


@breaks("verbs-while-ringing")
async def _no_verb_runs_while_it_rings(rig: Rig) -> bool:
    rig.desk.does = "ring"
    await rig.voice(_DIAL)
    return await rig.desk.called() and await rig.carrier.left_alone()


@breaks("verbs-unanswered")
async def _no_verb_runs_when_it_is_busy(rig: Rig) -> bool:
    rig.desk.does = 486
    await rig.voice(_DIAL)
    return await rig.desk.called() and await rig.carrier.left_alone()


@breaks("verbs-backwards")
async def _verbs_run_in_order(rig: Rig) -> bool:
    await rig.voice(say("first"), _DIAL, HANGUP)
    await rig.carrier.called(rig.soon)
    in_time = bool(rig.carrier.calls) and not rig.desk.calls[0].over and rig.desk.heard > 10
    for call in rig.carrier.calls:
        call.hangup()
    return in_time and await rig.desk.hung_up()


@breaks("verbs-after-hang-up")
async def _no_verb_runs_after_the_target_hung_up(rig: Rig) -> bool:
    await rig.voice(say("a text that takes a while"), _DIAL)
    await rig.desk.called()
    rig.desk.calls[0].hangup()
    return await rig.carrier.left_alone()


@breaks("say-silent", "say-elsewhere")
async def _say_is_heard(rig: Rig) -> bool:
    await rig.voice(say("hello"), HANGUP)
    await rig.desk.hung_up()
    return rig.desk.heard > 10


@breaks("play-silent")
async def _play_is_heard(rig: Rig) -> bool:
    rig.application.answers["/bell.wav"] = (200, wav_bytes(TONE))
    await rig.voice({"play": {"url": rig.application.url + "/bell.wav"}}, HANGUP)
    await rig.desk.hung_up()
    return rig.desk.heard > 10


@breaks("gather-does-not-wait")
async def _gather_waits_for_digits(rig: Rig) -> bool:
    await rig.voice({"gather": {"timeout": 3, "maxDigits": 1}}, _DIAL)
    await rig.desk.called()
    if not await rig.carrier.left_alone():
        return False
    await rig.desk.session.send_digits("5")
    return await rig.carrier.called()


@breaks("dial-left-out", "dial-caller-id-ignored")
async def _dial_calls_as_its_caller_id(rig: Rig) -> bool:
    await rig.voice(dial(_NUMBER, callerId="+441632960778"))
    return await rig.carrier.called(rig.soon) and _caller(rig.carrier.calls[0]) == "+441632960778"


@breaks("dial-not-connected", "dial-hang-up-kept")
async def _dial_connects_and_a_hang_up_is_passed_on(rig: Rig) -> bool:
    await rig.voice(_DIAL)
    if not await rig.carrier.called():
        return False
    rig.carrier.session.start(TONE, loop=True)
    heard = await until(lambda: rig.desk.heard > 5, rig.soon)
    rig.carrier.calls[0].hangup()
    return heard and await rig.desk.hung_up(rig.soon)


@breaks("dial-timeout-ignored")
async def _dial_gives_up(rig: Rig) -> bool:
    rig.carrier.does = "ring"
    await rig.voice(dial(_NUMBER, timeout=1))
    return await rig.carrier.hung_up(1 + rig.soon)


@breaks("dial-time-limit-ignored")
async def _a_connection_is_limited(rig: Rig) -> bool:
    await rig.voice(dial(_NUMBER, timeLimit=1))
    return await rig.carrier.hung_up(1 + rig.soon)


@breaks("reject-ignored")
async def _reject_refuses(rig: Rig) -> bool:
    rig.application.says("/flow", {"reject": {}})
    await rig.route_start(await rig.hook("/flow", "flow.generic"))
    return await rig.carrier.status(rig.sip, rig.ddi["name"]) >= 400


@breaks("redirect-ignored")
async def _redirect_asks(rig: Rig) -> bool:
    more = rig.application.says("/more", _DIAL)
    await rig.voice({"redirect": {"url": more}})
    return await rig.carrier.called(rig.soon)


async def _ddi_to_desk(rig: Rig) -> str:
    gateway = (await rig("GET", "/device")).json()[0]["id"]
    return await rig.route_start(gateway)


@breaks("ddi-not-routed")
async def _a_ddi_enters_its_route(rig: Rig) -> bool:
    await _ddi_to_desk(rig)
    return await rig.carrier.status(rig.sip, rig.ddi["name"]) == 200 and len(rig.desk.calls) == 1


@breaks("ddi-not-connected")
async def _caller_and_desk_hear_each_other(rig: Rig) -> bool:
    await _ddi_to_desk(rig)
    await rig.carrier.status(rig.sip, rig.ddi["name"])
    rig.desk.session.start(TONE, loop=True)
    return await until(lambda: rig.carrier.heard > 5, rig.soon)


@breaks("ddi-hangup-answered")
async def _hangup_refuses(rig: Rig) -> bool:
    await rig.route_start("HANGUP")
    return await rig.carrier.status(rig.sip, rig.ddi["name"]) >= 400


@breaks("ddi-stale-route")
async def _an_updated_route_counts(rig: Rig) -> bool:
    gateway = (await rig("GET", "/device")).json()[0]["id"]
    start = await rig.route_start("HANGUP")
    await rig("PUT", f"/device/{start}", {"startRoute": {"ddis": [rig.ddi["id"]], "connectTo": gateway}})
    return await rig.carrier.status(rig.sip, rig.ddi["name"]) == 200


@breaks("ddi-unlisted-answered")
async def _an_unlisted_number_is_refused(rig: Rig) -> bool:
    return await rig.carrier.status(rig.sip, rig.ddi["name"]) >= 400


@breaks("trunk-port-checked", "trunk-call-kept-in")
async def _a_trunk_calls_out_from_any_port(rig: Rig) -> bool:
    await rig.trunk("127.0.0.4:5060")
    return await rig.pbx.status(rig.sip, _NUMBER) == 200 and len(rig.carrier.calls) == 1


@breaks("strangers-served")
async def _strangers_are_refused(rig: Rig) -> bool:
    return await rig.pbx.status(rig.sip, _NUMBER) >= 400 and not rig.carrier.calls


@breaks("event-hooks-silent", "event-hook-by-get", "event-hook-no-query", "event-is-text")
async def _events_are_posted_to_the_url(rig: Rig) -> bool:
    await rig.hook("/events?a=1")
    await rig.voice(HANGUP)
    if not await rig.heard("/events?a=1", rig.soon):
        return False
    return all(one.method == "POST" and isinstance(one.json, dict) for one in rig.application.heard)


@breaks("event-hook-stale")
async def _events_go_to_the_current_url(rig: Rig) -> bool:
    await _call_after_a_move(rig)
    return await rig.heard("/new", rig.soon)


@breaks("event-hook-both")
async def _events_go_to_no_former_url(rig: Rig) -> bool:
    await _call_after_a_move(rig)
    return await rig.heard("/new", rig.soon) and not await rig.heard("/old", rig.soon)


async def _call_after_a_move(rig: Rig) -> None:
    """A call that an event hook is told of after it was moved from /old to /new."""
    hook = await rig.hook("/old")
    await rig("PUT", f"/hook/{hook}", {"url": rig.application.url + "/new"})
    await rig.voice(HANGUP)
    await rig.desk.hung_up()


_QUESTION_FAULTS = [f"flow-question-{member}-type" for member in ("callid", "from", "to", "digits", "speech", "action")]


@breaks("flow-hook-not-asked", "flow-hook-other-action", "flow-question-list", *_QUESTION_FAULTS)
async def _a_flow_hook_is_asked(rig: Rig) -> bool:
    rig.application.says("/flow", {"reject": {}})
    await rig.route_start(await rig.hook("/flow", "flow.generic"))
    await rig.carrier.status(rig.sip, rig.ddi["name"])
    if not await rig.heard("/flow", rig.soon):
        return False
    asked: object = rig.application.heard[0].json
    texts = {"callId", "from", "to", "digits", "speech", "action"}
    return (
        isinstance(asked, dict)
        and asked["action"] == "start"
        and all(isinstance(asked.get(name), str) for name in texts)
    )


@breaks("flow-hook-verbs-backwards")
async def _verbs_of_a_flow_hook_run_in_order(rig: Rig) -> bool:
    to_desk: Json = {"dial": {"targets": [{"extension": {"extension": "601"}}]}}
    rig.application.says("/flow", to_desk, {"reject": {}})
    await rig.route_start(await rig.hook("/flow", "flow.generic"))
    status = await asyncio.wait_for(rig.carrier.status(rig.sip, rig.ddi["name"]), DEADLINE)
    return status == 200 and await rig.desk.called(QUIET)

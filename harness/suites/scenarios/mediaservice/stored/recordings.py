"""Steps on recordings: started and stopped by operations, or asked for by an answer; told of, and kept as prompt files.

Every file that a recording may leave is entered into the ledger before, and deleted at the end.
"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_bdd import given, parsers, when

from harness.checks.evidence import seen_answer
from harness.suites.contract.values import UNKNOWN_ID
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.blame import says_success
from harness.suites.scenarios.mediaservice.remote.devices import audio_in
from harness.suites.scenarios.mediaservice.stored.storage import Storage
from harness.suites.scenarios.mediaservice.world import World, members
from harness.suites.scenarios.telephony import Phone
from harness.suites.scenarios.vocabulary import answered, decides
from harness.timeline import HttpExchange
from harness.verdicts import Reason

_OPERATIONS = {"startrecording": "startRecording", "stoprecording": "stopRecording"}
_OPERATION = r"(?P<operation>startrecording|stoprecording)"
_PHONE = r"(?P<name>bob|carol)"
_CALLBACK = r"(?P<callback>newCall|callEvent)"
# Milliseconds of sound, and bytes of a file that are more than the head of one.
_SPEECH = 300
_HEAD = 100


class Recording:
    """Recordings of one scenario, made one after the other; `name` is the latest one's."""

    def __init__(self, ms: World, storage: Storage) -> None:
        self._ms = ms
        self._storage = storage
        self.count = 0
        self.name = ""
        self.wrong: dict[str, HttpExchange] = {}

    def begin(self, folder: str = "") -> str:
        """The name of the next recording."""
        self.count += 1
        self.name = folder + self._ms.name(f"recording{self.count}-") + ".wav"
        if not folder:
            self._storage.expect_file(self.name)
        return self.name

    @property
    def told(self) -> dict[str, Any]:
        """The latest recordingReady; inconclusive when it does not come."""
        return dict(self._ms.need("recordingReady", self.count))


@pytest.fixture
def recording(ms: World, storage: Storage) -> Recording:
    """The recordings of the scenario."""
    return Recording(ms, storage)


@given(
    parsers.re(
        rf"{_CALLBACK} is answered with a call to {_PHONE} that is recorded(?P<nowhere>( into a folder that is not there)?)"
    )
)
def answer_recorded(ms: World, recording: Recording, callback: str, name: str, nowhere: str) -> None:
    file = recording.begin("no/such/folder/" if nowhere else "")
    answer = {"action": "call", "destAddr": ms.phones[name].uri, "callRecording": True, "recordingFileName": file}
    ms.answers.set(callback, [answer, {"action": "drop"}] if callback == "callEvent" else answer)


@when(parsers.re(rf"{_OPERATION} is sent with a (?P<member>replyId|connectionId) that never was"))
def operate_wrongly(ms: World, recording: Recording, operation: str, member: str) -> None:
    given_ids = _ids(ms) | {member: UNKNOWN_ID}
    if operation == "startrecording":
        given_ids["recordingFileName"] = recording.begin()
        recording.count -= 1
    recording.wrong[member] = ms.operate(_OPERATIONS[operation], expect=False, **given_ids)


@when(parsers.re(rf"{_OPERATION} is sent for the connection"))
def operate(ms: World, recording: Recording, operation: str) -> None:
    file: dict[str, Any] = {"recordingFileName": recording.begin()} if operation == "startrecording" else {}
    ms.operate(_OPERATIONS[operation], **_ids(ms), **file)


@when(parsers.re(rf"the caller and {_PHONE} speak"))
def speak(ms: World, name: str) -> None:
    caller, other = ms.call.phone, ms.phones[name]
    if not other.wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not called")
    ms.need("callAnswered", 2 if name == "carol" else 1)
    caller.speak()
    other.speak()
    if not other.probe.wait_sound(_SPEECH):
        raise InconclusiveError(Reason.PRECONDITION, f"{name} does not hear the caller")


@decides("only the {member} of the connection is accepted")
def only_right(ms: World, recording: Recording, member: str, clause: str) -> None:
    wrong = recording.wrong[member]
    response = answered(wrong)
    refused = 400 <= response.status < 500 or (response.status < 300 and not says_success(wrong))
    if refused and not ms.done:
        assert ms.last is not None
        words = f"with the right {member} it was refused too: {seen_answer(ms.last)}"
        ms.scenario.undecided(clause, Reason.NO_CONTROL, words)  # another wrong one, taken before, may be the reason
        return
    words = f"a {member} that the platform never gave is accepted"
    ms.scenario.check(clause, refused, words, expected="success false, or 4xx", seen=seen_answer(wrong), at=wrong)


@decides("recordingReady tells of the recording")
def is_told(ms: World, recording: Recording, clause: str) -> None:
    if not ms.done:
        raise InconclusiveError(Reason.PRECONDITION, "the recording could not be started or stopped")
    _told(ms, recording, clause, "a recording that was stopped is not told of")


@decides("recordingReady tells of this recording too")
def is_told_at_end(ms: World, recording: Recording, clause: str) -> None:
    if not ms.done:
        raise InconclusiveError(Reason.PRECONDITION, "the second recording could not be started")
    _told(ms, recording, clause, "a recording that nobody stopped is not told of when the call ends")


@decides("the recording is told of, and is a prompt file")
def is_told_and_stored(ms: World, recording: Recording, storage: Storage, clause: str) -> None:
    if _told(ms, recording, clause, "a call that was to be recorded gives no recordingReady"):
        _stored(recording, storage, clause)


@decides("it tells the name that was given")
def tells_name(ms: World, recording: Recording, clause: str) -> None:
    seen = recording.told.get("recordingFileName")
    words = "the recording has another name than the one that was given"
    ms.scenario.check(clause, seen == recording.name, words, expected=recording.name, seen=seen)


@decides("it tells the connectionId of callAnswered")
def tells_connection(ms: World, recording: Recording, clause: str) -> None:
    seen, expected = recording.told.get("connectionId"), _ids(ms)["connectionId"]
    words = "the recording is told of with another connectionId than that of callAnswered"
    ms.scenario.check(clause, seen == expected, words, expected=expected, seen=seen)


@decides("it tells no reason, if it was successful")
def tells_no_reason(ms: World, recording: Recording, clause: str) -> None:
    _expect_success(recording)
    seen = recording.told.get("reason")
    words = "a successful recording tells a reason"
    ms.scenario.check(clause, not seen, words, expected="no reason", seen=seen)


@decides("the recording is a prompt file")
def is_stored(recording: Recording, storage: Storage, clause: str) -> None:
    _stored(recording, storage, clause)


@decides("its size is the fileSize that was told")
def has_size(recording: Recording, storage: Storage, clause: str) -> None:
    sizes, told = _sizes(recording, storage), recording.told.get("fileSize")
    words = "fileSize is not the size of the file in the list of prompt files"
    storage.scenario.check(clause, told == sizes[0], words, expected=sizes[0], seen=told, at=storage.last)


@decides("there is something in it")
def is_not_empty(recording: Recording, storage: Storage, clause: str) -> None:
    size = _sizes(recording, storage)[0]
    words = "the recording of a call in which both spoke is empty"
    kept = isinstance(size, int | float) and size > _HEAD
    storage.scenario.check(clause, kept, words, expected=f"more than {_HEAD} bytes", seen=size, at=storage.last)


@decides("each recording was told of once")
def is_told_once(ms: World, recording: Recording, clause: str) -> None:
    ms.finish()
    came = len(ms.callbacks("recordingReady"))
    if came < recording.count:
        raise InconclusiveError(Reason.NO_EVIDENCE, "not every recording was told of")
    words = "a recording is told of more than once"
    expected = f"{recording.count} recordingReady"
    ms.scenario.check(clause, came == recording.count, words, expected=expected, seen=came)


@decides("the caller and {name} are not told each other's media")
def media_hidden(ms: World, name: str, clause: str) -> None:
    caller, other = ms.call.phone, ms.phones[name]
    told = {"the caller": _told_media(caller) & {_own(other)}, name: _told_media(other) & {_own(caller)}}
    direct = {who: sorted(addresses) for who, addresses in told.items() if addresses}
    words = "in a call that is recorded a party is told the address of the other's media"
    ms.scenario.check(clause, not direct, words, expected="addresses of the platform", seen=direct)


@decides("if recordingReady tells of a failure, it tells the reason")
def failure_has_reason(ms: World, recording: Recording, clause: str) -> None:
    told = ms.wait("recordingReady", recording.count)
    if told is not None and members(told).get("event") == "recordingFailed":
        reason = members(told).get("reason")
        words = "a recording that failed tells no reason"
        ms.scenario.check(clause, bool(reason), words, expected="reason", seen=reason)


def _told(ms: World, recording: Recording, clause: str, words: str) -> bool:
    told = ms.wait("recordingReady", recording.count)
    return ms.scenario.check(clause, told is not None, words, expected="recordingReady", seen="nothing")


def _stored(recording: Recording, storage: Storage, clause: str) -> None:
    _expect_success(recording)
    names = storage.read()
    name = str(recording.told.get("recordingFileName"))
    words = "a successful recording is not among the prompt files"
    storage.scenario.check(
        clause,
        name in names or recording.name in names,
        words,
        expected=name,
        seen=f"{len(names)} other files",
        at=storage.last,
    )


def _sizes(recording: Recording, storage: Storage) -> list[object]:
    storage.read()
    sizes = storage.sizes(recording.name)
    if not sizes:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the recording is not among the prompt files")
    return sizes


def _expect_success(recording: Recording) -> None:
    if recording.told.get("event") != "recordingSuccessful":
        raise InconclusiveError(Reason.PRECONDITION, f"the recording did not succeed: {recording.told}")


def _ids(ms: World) -> dict[str, Any]:
    """What names the connection of the call."""
    told = ms.need("callAnswered")
    return {"connectionId": told.get("connectionId"), "replyId": told.get("replyId")}


def _own(phone: Phone) -> tuple[str, int]:
    return phone.probe.host, phone.probe.port


def _told_media(phone: Phone) -> set[tuple[str, int]]:
    """Every address at which the far side said that it takes sound."""
    media = [audio_in(one) for one in phone.messages if one.direction == "in"]
    return {(one.address, one.port) for one in media if one is not None}

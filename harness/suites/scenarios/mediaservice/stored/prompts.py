"""Steps on prompt files: put, listed page by page, fetched by their URLs, deleted, moved to a bucket.

A step that prepares or acts ends its scenario as inconclusive when it cannot be done; only Then steps decide clauses.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_bdd import given, when

from harness.checks.evidence import json_body, seen_answer
from harness.suites.contract.resources import Workbench
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.mediaservice.blame import says_success
from harness.suites.scenarios.mediaservice.stored.storage import Storage
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.verdicts import Reason

_LIFE = "900"
_REFUSED = "success false, or 4xx"


@pytest.fixture
def storage(scenario: Scenario) -> Storage:
    """The prompt storage as the scenario knows it."""
    return Storage(scenario, Workbench(scenario))


@when("a prompt file is put")
def put_file(storage: Storage) -> None:
    storage.put()


@given(step_pattern("{count} prompt files"))
def given_files(storage: Storage, count: str) -> None:
    for _ in range(int(count)):
        storage.put()


@given("a prompt file in the list")
def given_listed(storage: Storage) -> None:
    storage.put()
    storage.expect_listed(storage.name)


@given(step_pattern("{count} prompt files in the list"))
def given_files_listed(storage: Storage, count: str) -> None:
    given_files(storage, count)
    storage.expect_listed(*storage.files)


@given("a prompt file with a URL")
def given_file_with_url(storage: Storage) -> None:
    storage.put()
    storage.ask_url(storage.name, expect="success")
    if storage.url is None:
        words = f"not even a stored file has a URL: {seen_answer(storage.answer())}"
        raise InconclusiveError(Reason.NO_CONTROL, words)


@when("another file is put under the same name")
def put_again(storage: Storage) -> None:
    storage.put(storage.name)


@when("the list is read to its end")
def read_list(storage: Storage) -> None:
    storage.read()


@when("one of the files is deleted")
def delete_file(storage: Storage) -> None:
    storage.delete(storage.name)


@when("the URL of the file is asked for")
def ask_url(storage: Storage) -> None:
    storage.ask_url(storage.name, expect="success")


@when("the URL of a file that never was is asked for")
def ask_unknown_url(storage: Storage) -> None:
    storage.ask_url(storage.new_name(), case="negative")


@when("the file is moved to the bucket")
def move_file(storage: Storage) -> None:
    storage.move(expect="success")


@when(step_pattern("a move without {name} is asked for"))
def move_without(storage: Storage, name: str) -> None:
    storage.move(leave_out=name, case="negative")


@when("a move of another type than s3 is asked for")
def move_elsewhere(storage: Storage) -> None:
    storage.move(change={"type": "ftp"}, case="negative")


@decides("the list shows it under its name")
def is_listed(storage: Storage, clause: str) -> None:
    names = storage.read()
    words = "a prompt file that is stored is not in the list"
    storage.scenario.check(
        clause, storage.name in names, words, expected=storage.name, seen=sorted(names)[:20], at=storage.last
    )


@decides("the list shows how many bytes it has")
def shows_size(storage: Storage, clause: str) -> None:
    storage.expect_listed(storage.name)
    sizes, right = storage.sizes(storage.name), len(storage.files[storage.name])
    storage.scenario.check(
        clause, sizes == [right], "the list shows another size", expected=right, seen=sizes, at=storage.last
    )


@decides("the name stands once in the list, with the other file")
def is_replaced(storage: Storage, clause: str) -> None:
    storage.read()
    sizes, before, now = storage.sizes(storage.name), storage.before, len(storage.files[storage.name])
    assert before is not None, "the scenario must begin with a file in the list"
    words = "a second PUT under a name does not replace the first file"
    seen = f"{len(sizes)} times, sizes {sizes}"
    replaced = len(sizes) == 1 and sizes[0] != before
    storage.scenario.check(clause, replaced, words, expected=f"once, with {now} bytes", seen=seen, at=storage.last)


@decides("its last page says that there is no other")
def list_ends(storage: Storage, clause: str) -> None:
    words = "the list does not end: its pages lead to each other"
    seen = f"next {storage.looping!r} again after {len(storage.pages)} pages"
    storage.scenario.check(clause, storage.looping is None, words, expected="next null", seen=seen, at=storage.last)


@decides("each page brings files that the ones before did not show")
def pages_differ(storage: Storage, clause: str) -> None:
    shown: set[str] = set()
    for number, page in enumerate(storage.pages):
        names = {name for name, _ in page}
        if number and names:
            words = "next brings files again that the pages before have shown, and no other"
            storage.scenario.check(clause, not names <= shown, words, expected="further files", seen=sorted(names)[:20])
        shown |= names


@decides("its pages show all these files")
def list_is_complete(storage: Storage, clause: str) -> None:
    shown = {name for page in storage.pages for name, _ in page}
    missing = sorted(storage.files.keys() - shown)
    words = f"the list leaves out stored files: {len(storage.pages)} pages with {len(shown)} names"
    storage.scenario.check(
        clause, not missing, words, expected=sorted(storage.files), seen=f"without {missing}", at=storage.last
    )


@decides("that file is not in the list any more")
def is_gone(storage: Storage, clause: str) -> None:
    names = storage.read()
    words = "a file that was taken out of the storage is still in the list"
    storage.scenario.check(
        clause, storage.name not in names, words, expected="gone", seen=storage.name, at=storage.last
    )


@decides("the other files are in the list")
def others_are_listed(storage: Storage, clause: str) -> None:
    missing = sorted(storage.files.keys() - {storage.name} - storage.read())
    words = "the deletion of one file took others with it"
    storage.scenario.check(
        clause, not missing, words, expected="still listed", seen=f"without {missing}", at=storage.last
    )


@decides("the answer has a URL")
def has_url(storage: Storage, clause: str) -> None:
    kept = storage.url is not None and says_success(storage.last)
    words = "for a stored file there is no success with a url"
    storage.scenario.check(
        clause, kept, words, expected="success true and a url", seen=seen_answer(storage.answer()), at=storage.last
    )


@decides("it has neither reason nor error")
def has_no_reason(storage: Storage, clause: str) -> None:
    _expect_url(storage)
    extra = {name: value for name in ("reason", "error") if (value := member(json_body(storage.answer()), name))}
    words = "an answer with success true tells a reason or an error"
    storage.scenario.check(clause, not extra, words, expected="neither", seen=extra, at=storage.last)


@decides("if the URL tells its life time, it is fifteen minutes")
def declares_life(storage: Storage, clause: str) -> None:
    query = {name.lower(): value for name, value in parse_qs(urlsplit(_expect_url(storage)).query).items()}
    told = query.get("x-amz-expires")
    if told is not None:
        words = "the url tells another life time than fifteen minutes"
        storage.scenario.check(clause, told == [_LIFE], words, expected=_LIFE, seen=told, at=storage.last)


@decides("the URL opens without credentials")
def url_opens(storage: Storage, clause: str) -> None:
    _expect_url(storage)
    fetched = storage.fetch()
    if fetched.response is None:
        raise InconclusiveError(Reason.UNREACHABLE, f"the url cannot be reached: {fetched.failure}")
    kept = fetched.response.status == 200 and bool(fetched.response.body)
    words = "a url that was just given does not give the file"
    storage.scenario.check(clause, kept, words, expected="200 with the file", seen=_seen_file(storage), at=fetched)


@decides("the bytes are those that were put")
def same_bytes(storage: Storage, clause: str) -> None:
    fetched = storage.fetched
    if fetched is None or fetched.response is None or fetched.response.status != 200:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the file could not be fetched")
    words = "a stored file has other bytes than those that were put"
    put = storage.files[storage.name]
    storage.scenario.check(
        clause, fetched.response.body == put, words, expected=f"{len(put)} bytes", seen=_seen_file(storage), at=fetched
    )


@decides("the platform says that it failed")
def says_failure(storage: Storage, clause: str) -> None:
    _check_answer(
        storage, clause, storage.refused, "for a file that never was there is an answer with success", _REFUSED
    )


@decides("the answer has no URL")
def has_no_url(storage: Storage, clause: str) -> None:
    if not storage.refused:
        raise InconclusiveError(Reason.PRECONDITION, "the answer is one of success")
    words = "an answer that tells of a failure has a url"
    storage.scenario.check(clause, storage.url is None, words, expected="no url", seen=storage.url, at=storage.last)


@decides("if it says so with success false, it tells the reason")
def tells_reason(storage: Storage, clause: str) -> None:
    body = json_body(storage.answer())
    if member(body, "success") is False:
        words = "an answer with success false tells no reason"
        _check_answer(storage, clause, bool(member(body, "reason")), words, "reason")


@decides("the move is carried out")
def is_moved(storage: Storage, clause: str) -> None:
    if not says_success(storage.answer()):
        words = f"the bucket may be out of the platform's reach: {seen_answer(storage.answer())}"
        raise InconclusiveError(Reason.PRECONDITION, words)
    storage.scenario.check(clause, True, "")


@decides("the move is not accepted")
def is_not_moved(storage: Storage, clause: str) -> None:
    words = "a move is accepted that lacks something, or leads elsewhere"
    _check_answer(storage, clause, storage.refused, words, _REFUSED)


def _check_answer(storage: Storage, clause: str, kept: bool, words: str, expected: str) -> None:
    seen = seen_answer(storage.answer())
    storage.scenario.check(clause, kept, words, expected=expected, seen=seen, at=storage.last)


def _expect_url(storage: Storage) -> str:
    if storage.url is None:
        raise InconclusiveError(Reason.PRECONDITION, f"there is no url: {seen_answer(storage.answer())}")
    return storage.url


def _seen_file(storage: Storage) -> str:
    assert storage.fetched is not None
    response = storage.fetched.response
    return f"{response.status}, {len(response.body)} bytes" if response else str(storage.fetched.failure)

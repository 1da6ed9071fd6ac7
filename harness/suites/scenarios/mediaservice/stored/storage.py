"""The prompt storage of Mediaservice as one scenario uses it: its own files, pages of the list, URLs, moves.

What is put is entered into the ledger and deleted at the end; files of others are only read over. It decides no clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.evidence import json_body, seen_answer
from harness.drivers.http import Body, fill_path
from harness.drivers.recorder import Answer
from harness.suites.contract.resources import Workbench, wav
from harness.suites.contract.values import unique
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.mediaservice.blame import says_success, without_what_is_refused
from harness.suites.scenarios.vocabulary import LastAnswer, answered, member
from harness.target import MediaserviceTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

FILES = "/{domain}/promptfile"
FILE = FILES + "/{filename}"
_MOST_PAGES = 300
_SUCCESS = {"expect": "success"}
_FRAME = 320
# Names that stand far apart in any order, so that pages and ends of the list are met.
_BEGINNINGS = ("a", "m", "z")


@dataclass
class Storage(LastAnswer):
    """`files`: the bytes of what was put, by name; `name`: the latest of them; `before`: its size before it was replaced."""

    scenario: Scenario
    bench: Workbench
    files: dict[str, bytes] = field(default_factory=dict)
    name: str = ""
    before: int | None = None
    pages: list[list[tuple[str, object]]] = field(default_factory=list)
    looping: str | None = None
    last: HttpExchange | None = None
    fetched: HttpExchange | None = None

    @property
    def domain(self) -> str:
        target = self.scenario.target
        assert isinstance(target, MediaserviceTarget)
        return target.domain

    def new_name(self) -> str:
        return unique(_BEGINNINGS[len(self.files) % len(_BEGINNINGS)]) + ".wav"

    @property
    def refused(self) -> bool:
        """Whether the last answer says that nothing was done: 4xx, or success false."""
        return 400 <= answered(self.last).status < 500 or member(json_body(self.answer()), "success") is False

    @property
    def url(self) -> str | None:
        """The url in the last answer, if there is one to fetch."""
        found = member(json_body(self.answer()), "url")
        return found if isinstance(found, str) and found.startswith(("http://", "https://")) else None

    def put(self, name: str = "") -> None:
        """Put a file of its own length; under a name that was used before it replaces the first.

        Raises:
            InconclusiveError: it was not accepted.
        """
        self.name = name or self.new_name()
        if self.name in self.files:
            self.before = len(self.files[self.name])
        data = wav(bytes(_FRAME * (len(self.files) + (2 if name else 1))))
        self._send("PUT", self._path(FILE), "putPromptFile", Body(data, "audio/wav"), about=_SUCCESS)
        if not says_success(self.answer()):
            raise InconclusiveError(Reason.PRECONDITION, f"no file can be put: {seen_answer(self.answer())}")
        if self.name not in self.files:
            self.expect_file(self.name)
        self.files[self.name] = data

    def expect_file(self, name: str) -> None:
        """Say that the platform may store a file of that name for this scenario: it is deleted at the end."""
        operation = self.scenario.contract.spec.operation("putPromptFile")
        self.bench.remember(operation, {"domain": self.domain, "filename": name})

    def read(self) -> set[str]:
        """Read all pages; the names in them. `looping` is a `next` that came again.

        Raises:
            InconclusiveError: a page cannot be read, or there are too many.
        """
        self.pages, self.looping, following = [], None, ""
        given: set[str] = set()
        while len(self.pages) < _MOST_PAGES:
            params = {"next": following} if following else None
            self._send("GET", self._path(FILES), "listPromptFiles", params=params, about=_SUCCESS)
            body = json_body(self.answer())
            files = member(body, "files")
            if not says_success(self.last) or not isinstance(files, list):
                raise InconclusiveError(Reason.PRECONDITION, f"the list cannot be read: {seen_answer(self.answer())}")
            named = [one for one in files if isinstance(one, Mapping)]
            self.pages.append([(str(one.get("name")), one.get("size")) for one in named])
            token = member(body, "next")
            if token is None:
                return self._names
            if not isinstance(token, str):
                raise InconclusiveError(Reason.PRECONDITION, f"next is no text: {seen_answer(self.answer())}")
            if token in given:
                self.looping = token
                return self._names
            given.add(token)
            following = token
        raise InconclusiveError(Reason.PRECONDITION, f"the list has more than {_MOST_PAGES} pages")

    @property
    def _names(self) -> set[str]:
        return {name for page in self.pages for name, _ in page}

    def sizes(self, name: str) -> list[object]:
        """What the pages say of the size of a file, as often as they name it."""
        return [size for page in self.pages for known, size in page if known == name]

    def expect_listed(self, *names: str) -> None:
        """Raises InconclusiveError where the list does not show the files."""
        missing = sorted(set(names) - self.read())
        if missing:
            raise InconclusiveError(Reason.NO_CONTROL, f"the list does not show what was put: {missing}")

    def delete(self, name: str) -> None:
        """Raises InconclusiveError where the deletion was refused."""
        path = self._path(FILE, filename=name)
        self._send("DELETE", path, "deletePromptFile", about=_SUCCESS)
        if not says_success(self.answer()):
            raise InconclusiveError(Reason.PRECONDITION, f"the deletion was refused: {seen_answer(self.answer())}")

    def ask_url(self, name: str, **about: str) -> None:
        self._send("GET", self._path(FILE, filename=name) + "/url", "getPromptFileUrl", about=about)

    def fetch(self) -> HttpExchange:
        """Open the url in the last answer, as anyone would."""
        assert self.url is not None
        self.fetched = self.scenario.api.request("GET", self.url, auth="none", about={"case": "fetch"})
        return self.fetched

    def move(self, *, leave_out: str = "", change: Mapping[str, str] | None = None, **about: str) -> None:
        """Ask for a move of the latest file to the target's bucket.

        Raises:
            InconclusiveError: the target names no bucket.
        """
        target = self.scenario.target
        assert isinstance(target, MediaserviceTarget)
        if target.s3 is None:
            raise InconclusiveError(Reason.PRECONDITION, "the target file has no [mediaservice.s3]")
        if target.s3.recorder_path is not None:
            path = f"{target.s3.recorder_path}/{target.s3.bucket}/{self.name}"
            self.scenario.recorder.route(path, Answer(200), method="PUT")
        asked = {
            "bucketRegion": target.s3.region,
            "bucketName": target.s3.bucket,
            "objectKey": self.name,
            "type": "s3",
            **({"kmsKey": target.s3.kms_key} if target.s3.kms_key else {}),
            **(change or {}),
        }
        asked.pop(leave_out, None)

        def send(body: Mapping[str, Any], **about: str) -> HttpExchange:
            return self._send("POST", self._path(FILE) + "/move", "movePromptFile", Body.json(body), about=about)

        refused = send(asked, **about)
        if about.get("expect") == "success":
            operation = self.scenario.contract.spec.operation("movePromptFile")
            self.last = without_what_is_refused(self.scenario, operation, asked, refused, send)

    def _path(self, template: str, filename: str = "") -> str:
        return fill_path(template, domain=self.domain, filename=filename or self.name)

    def _send(
        self,
        method: str,
        path: str,
        operation: str,
        body: Body | None = None,
        *,
        about: Mapping[str, str],
        params: Mapping[str, str] | None = None,
    ) -> HttpExchange:
        named = {"operation": operation, **about}
        self.last = self.scenario.api.request(method, path, body=body, params=params, about=named)
        return self.last

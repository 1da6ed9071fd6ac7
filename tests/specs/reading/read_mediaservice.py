"""Reads the text copy of the Mediaservice page: its operations, callbacks, tables and samples.

The copy lost the HTTP verbs: they follow from the words below each heading, as on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tests.specs.reading.facts import Fact, Part, Place, Sample, members_of, named
from tests.specs.reading.mediaservice_words import NAMED
from tests.specs.reading.repair import parse_sample, take_block

NAME = "mediaservice-api.txt"
_HEADING = re.compile(r"/[\w{}<>/]+")
_ROW = re.compile(r"(\w+)( required)? \| (string|number|integer|boolean|object|Array|null)\b(.*)")
_HEADER = re.compile(r"([A-Z]\w*(?:-\w+)+) \| string \|")
_ENUM = re.compile(r'(?:Enum|Value): ((?:"[^"]*" ?)+)')
_ALLOWED = re.compile(r"Allowed values are ([A-Z, or]+)")
_VERBS = {"List": "GET", "Get": "GET", "Add": "PUT", "Delete": "DELETE"}


def sections(text: str) -> Iterator[tuple[int, Place, list[str]]]:
    """Each heading's line (from 0), its place, and the lines below it."""
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if _HEADING.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        body = lines[start + 1 : end]
        if lines[start].startswith("/{domain}"):
            method = "OPTIONS"
            if "Authorizations:" in body:
                method = _VERBS.get(body[0].split()[0], "POST")
            yield start, Place(method, lines[start]), body
        else:
            yield start, Place(webhook=lines[start][1:]), body


def samples(text: str) -> Iterator[Sample]:
    """Every example body; a callback's request is the platform's."""
    for start, place, body in sections(text):
        part, index = Part.RESPONSE, 0
        while index < len(body):
            line = body[index]
            if line in ("Request samples", "Response samples"):
                part = Part.REQUEST if line.startswith("Request") else Part.RESPONSE
            if line.startswith("{"):
                block, after = take_block(body, index)
                value, elided = parse_sample(block)
                yield Sample(NAME, start + 2 + index, place, part, value, elided=elided)
                index = after
            else:
                index += 1


def facts(text: str) -> Iterator[Fact]:
    """Every operation, status, header, parameter, member, type and enum value."""
    for start, place, body in sections(text):
        yield Fact(NAME, start + 1, "operation", place)
        state = ""
        for offset, line in enumerate(body):
            number = start + 2 + offset
            for opening in (
                "path Parameters",
                "query Parameters",
                "Request Body schema",
                "Responses",
                "Response Schema",
            ):
                if line.startswith(opening):
                    state = opening
            if line.startswith(("Request samples", "Response samples")):
                state = "samples"
            if re.fullmatch(r"- \d{3}", line):
                yield Fact(NAME, number, "status", place, value=line[2:])
            if state != "samples":
                yield from _row(number, place, state, line)
                for fact in named(NAME, NAMED, number, line):
                    title = place.webhook or place.path.split("/")[2]
                    yield replace(fact, clauses=tuple(clause.format(title) for clause in fact.clauses))
    for sample in samples(text):
        yield from members_of(sample)


def _row(number: int, place: Place, state: str, line: str) -> Iterator[Fact]:
    part = Part.REQUEST if state == "Request Body schema" else Part.RESPONSE
    enum = _ENUM.search(line)
    values = re.findall(r'"([^"]*)"', enum.group(1)) if enum else []
    if header := _HEADER.match(line):
        name = header.group(1)
        if state == "Responses":
            yield Fact(NAME, number, "header", place, value=name)
        else:
            yield Fact(NAME, number, "member", place, part, (name,))
    elif row := _ROW.match(line):
        name, required, kind, words = row.groups()
        if state.endswith("Parameters"):
            yield Fact(NAME, number, "parameter", place, value=name)
            return
        yield Fact(NAME, number, "member", place, part, (name,))
        yield Fact(NAME, number, "type", place, part, (name,), kind.lower())
        if required:
            yield Fact(NAME, number, "required", place, part, (name,))
        if allowed := _ALLOWED.search(words):
            values += re.findall(r"\b(?!or\b)[A-Z]+\b", allowed.group(1))
        for value in values:
            yield Fact(NAME, number, "enum", place, part, (name,), value)
    else:
        for value in values:
            yield Fact(NAME, number, "enum", place, part, (), value)

"""Data files: parsed to plain values, with the way back to file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.yamlfile import DataError, YamlFile, load

TEXT = """\
first: 1
list:
  - name: a
  - name: b
    deep: {x: 1,
      y: 2}
base: &base {shared: true}
merged:
  <<: *base
  own: 1
"""


def written(folder: Path, text: str) -> YamlFile:
    path = folder / "data.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_values_are_plain_and_anchors_are_followed(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT)
    assert file.data["list"][1] == {"name": "b", "deep": {"x": 1, "y": 2}}
    assert file.data["merged"] == {"shared": True, "own": 1}


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ((), 1),
        (("first",), 1),
        (("list",), 2),
        (("list", 1), 4),
        (("list", 1, "deep", "y"), 6),
        (("list", 7), 2),
        (("list", 1, "nothing", "below"), 4),
        (("merged", "own"), 10),
    ],
)
def test_a_place_has_the_line_of_its_value_or_of_what_holds_it(
    tmp_path: Path, steps: tuple[str | int, ...], line: int
) -> None:
    assert written(tmp_path, TEXT).line(*steps) == line


def test_an_error_names_file_line_and_path(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT)
    assert str(file.error("is odd", "list", 1, "name")) == f"{tmp_path / 'data.yaml'}:4: list.1.name: is odd"
    assert str(file.error("is odd")) == f"{tmp_path / 'data.yaml'}:1: is odd"


def test_only_lets_known_keys_pass(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT)
    item = file.data["list"][0]
    assert file.only(item, {"name"}, "list", 0) is item
    with pytest.raises(DataError, match=r"data.yaml:5: list.1.deep: unknown key 'deep': expected one of name"):
        file.only(file.data["list"][1], {"name"}, "list", 1)
    with pytest.raises(DataError, match="expected a mapping, got int"):
        file.only(1, {"name"}, "first")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ":1: the file is empty: expected a mapping"),
        ("# only a comment\n", ":1: the file is empty: expected a mapping"),
        ("a: 1\nb: [1, 2\nc: 3\n", ":3: broken YAML: "),
        ("a: 1\n\tb: 2\n", ":2: broken YAML: "),
        ("a: *nobody\n", ":1: broken YAML: "),
        ("a: !!python/object:os.system x\n", ":1: broken YAML: "),
        ("a: 1\nb: 2\na: 3\n", ":3: key 'a' stands already in line 1"),
        ("a:\n  - {b: 1, b: 2}\n", ":2: key 'b' stands already in line 2"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        written(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'data.yaml'}{says}"), str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere.yaml: cannot be read: No such file"):
        load(tmp_path / "nowhere.yaml")


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: ü\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        load(path)


def test_two_documents_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=":2: broken YAML: but found another document"):
        written(tmp_path, "a: 1\n---\nb: 2\n")

"""What cannot be deleted is used again: places belong to one scenario at a time and remember what stands there."""

from __future__ import annotations

from pathlib import Path

from harness.suites.scenarios.callable.shelf import PLACES, Shelf


def test_a_place_belongs_to_one_scenario_and_keeps_its_thing_for_the_next(tmp_path: Path) -> None:
    first, second = Shelf(tmp_path), Shelf(tmp_path)
    mine, other = first.place("trunk"), second.place("trunk")
    assert mine is not None
    assert other is not None
    assert (mine.number, mine.id, other.number) == (0, None, 1)
    mine.keep("t-1")
    first.release()
    again = Shelf(tmp_path)
    found = again.place("trunk")
    assert found is not None
    assert (found.number, found.id) == (0, "t-1")
    for shelf in (second, again):
        shelf.release()


def test_an_empty_place_is_found_behind_those_that_are_filled(tmp_path: Path) -> None:
    filling = Shelf(tmp_path)
    for number in range(2):
        place = filling.place("hook")
        assert place is not None
        place.keep(f"h-{number}")
    filling.release()
    shelf = Shelf(tmp_path)
    empty = shelf.place("hook", empty=True)
    assert empty is not None
    assert (empty.number, empty.id) == (2, None)
    shelf.release()


def test_a_full_shelf_says_so_at_once(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path), Shelf(tmp_path)
    assert all(one.place("gateway") for _ in range(PLACES))
    assert other.place("gateway") is None
    for shelf in (one, other):
        shelf.release()

"""Feature files: tags are clauses and capabilities, anything else is refused with file and line before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import scenario as bind
from pytest_bdd.feature import features, get_features
from pytest_bdd.steps import step_function_context_registry

from harness.contract import Contract, data_folder
from harness.suites.scenarios.features import STEPS, FeatureError, feature_files, mark, steps_of
from tests.checks.build import toy_contract
from tests.suites.world import make_plan

FEATURE = """\
Feature: Ringing

  @TY-ring @TY-getRing
  Scenario: A phone rings
    Given a phone
    Then it rings [TY-ring]
    And the ring can be read [TY-getRing]
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    from dataclasses import replace

    contract = toy_contract(Path(tmp_path_factory.mktemp("toy")))
    return replace(contract, file=replace(contract.file, capabilities={"bell": "It has a bell"}))


@pytest.fixture(autouse=True)
def _in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """Only in a run are tags clauses, and is the plugin's own mark known; elsewhere pytest-bdd makes marks of tags."""
    pytestconfig.addinivalue_line("markers", "judges: what a test of the suites is about")
    monkeypatch.setattr("harness.suites.current.plan", make_plan(tmp_path))


def marked(folder: Path, contract: Contract, text: str) -> Any:
    path = folder / "x.feature"
    path.write_text(text, encoding="utf-8")
    features.clear()
    test = bind(str(path), "A phone rings")(lambda: None)
    mark(test, contract)
    return test


def test_tags_become_the_clauses_and_needs_of_the_test(tmp_path: Path, toy: Contract) -> None:
    test = marked(tmp_path, toy, FEATURE.replace("@TY-ring ", "@needs-bell @TY-ring "))
    found = next(one for one in test.pytestmark if one.name == "judges").kwargs
    assert found == {
        "system": "toy", "clauses": ["TY-getRing", "TY-ring"], "title": "A phone rings", "needs": ["bell"],
        "keywords": [],
    }  # fmt: skip


def test_a_scenario_can_be_a_part_of_the_contract_though_it_decides_other_clauses(
    tmp_path: Path, toy: Contract
) -> None:
    test = marked(tmp_path, toy, FEATURE.replace("@TY-ring ", "@contract @TY-ring "))
    found = next(one for one in test.pytestmark if one.name == "judges").kwargs
    assert found["keywords"] == ["contract"]
    assert found["clauses"] == ["TY-getRing", "TY-ring"]


def test_tags_of_the_feature_hold_for_its_scenarios(tmp_path: Path, toy: Contract) -> None:
    test = marked(tmp_path, toy, "@needs-bell\n" + FEATURE)
    assert next(one for one in test.pytestmark if one.name == "judges").kwargs["needs"] == ["bell"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("@TY-ring ", "@needs-horn @TY-ring ", "unknown capability 'horn': expected one of bell"),
        ("@TY-ring ", "@TY-nothing @TY-ring ", "unknown clause 'TY-nothing'"),
        ("@TY-ring ", "@slow @TY-ring ", "unknown clause 'slow'"),
        ("@TY-ring ", "", "clause TY-ring is decided by a step but no tag"),
        (" [TY-getRing]", "", "clause TY-getRing is a tag but decided by no step"),
        ("[TY-getRing]", "[TY-removeBell]", "clause TY-getRing is a tag but decided by no step"),
    ],
)
def test_a_tag_that_means_nothing_is_refused_with_file_and_line(
    tmp_path: Path, toy: Contract, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(FeatureError) as caught:
        marked(tmp_path, toy, FEATURE.replace(old, new, 1))
    assert complaint in str(caught.value)
    assert str(tmp_path / "x.feature") + ":4: scenario 'A phone rings': " in str(caught.value)


def test_features_of_the_user_are_found_beside_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "own" / "toy" / "deep"
    own.mkdir(parents=True)
    (own / "b.feature").write_text(FEATURE, encoding="utf-8")
    (own.parent / "a.feature").write_text(FEATURE, encoding="utf-8")
    (own / "notes.txt").write_text("", encoding="utf-8")
    plan = make_plan(tmp_path, features=(tmp_path / "own",))
    assert [(contract.system, path.name) for contract, path in feature_files(plan)] == [
        ("toy", "a.feature"),
        ("toy", "b.feature"),
    ]


@pytest.mark.parametrize("system", STEPS)
def test_each_step_of_a_shipped_feature_has_one_meaning(system: str) -> None:
    known = [
        context
        for name, fixture in steps_of(system).items()
        if (context := step_function_context_registry.get(fixture._get_wrapped_function())) is not None
    ]
    for path in sorted((data_folder("features") / system).glob("**/*.feature")):
        for template in (one for feature in get_features([str(path)]) for one in feature.scenarios.values()):
            contexts = [example for table in template.examples for example in table.as_contexts()] or [{}]
            for step in (step for context in contexts for step in template.render(context).steps):
                meant = [one for one in known if one.type in (None, step.type) and one.parser.is_matching(step.name)]
                assert len(meant) == 1, f"{path.name}: {step.type} {step.name}: {[one.parser for one in meant]}"

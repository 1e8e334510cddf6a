from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rlplatform.evaluation.models import EvaluationRequest, Group, TestResult, Verdict
from rlplatform.evaluation.scoring import SkipRules, max_score, overall, score, scored


@st.composite
def judged(draw: st.DrawFn) -> tuple[EvaluationRequest, list[TestResult]]:
    groups = draw(st.lists(st.sampled_from("abc"), unique=True))
    count = draw(st.integers(max(1, len(groups)), 8))
    choice = st.sampled_from([None, *groups])
    tests = [
        {
            "id": f"t{i}",
            "points": draw(st.floats(0, 100)),
            "group": groups[i] if i < len(groups) else draw(choice),
        }
        for i in range(count)
    ]
    policy = st.sampled_from(["sum", "all_or_nothing"])
    request = EvaluationRequest(
        source="", tests=tests, groups=[{"id": group, "scoring": draw(policy)} for group in groups]
    )
    verdict = st.sampled_from([Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.SKIPPED])
    results = []
    for test in request.tests:
        got = draw(verdict)
        results.append(TestResult(id=test.id, verdict=got, points=test.points if got is Verdict.ACCEPTED else 0.0))
    return request, results


@given(judged())
def test_a_score_lies_between_nothing_and_everything(case: tuple[EvaluationRequest, list[TestResult]]) -> None:
    request, results = case
    final = scored(request, request.tests, results)
    assert [(r.id, r.verdict) for r in final] == [(r.id, r.verdict) for r in results]
    assert 0 <= score(final) <= score(results) <= max_score(request)
    assert score(final) == math.fsum(result.points for result in final)
    if overall(results) is Verdict.ACCEPTED:
        assert score(final) == max_score(request)


@given(judged())
def test_groups_keep_to_their_scoring(case: tuple[EvaluationRequest, list[TestResult]]) -> None:
    request, results = case
    policies = {group.id: group.scoring for group in request.groups}
    final = scored(request, request.tests, results)
    for group in [None, *policies]:
        mine = [i for i, test in enumerate(request.tests) if test.group == group]
        failed = any(results[i].verdict is not Verdict.ACCEPTED for i in mine)
        for i in mine:
            lost = failed and policies.get(group) == "all_or_nothing"
            assert final[i].points == (0.0 if lost else results[i].points)


@given(judged())
def test_the_overall_verdict_is_the_first_that_is_not_accepted(
    case: tuple[EvaluationRequest, list[TestResult]],
) -> None:
    verdicts = [result.verdict for result in case[1]]
    bad = [verdict for verdict in verdicts if verdict is not Verdict.ACCEPTED]
    assert overall(case[1]) is (bad[0] if bad else Verdict.ACCEPTED)


def test_failures_skip_the_rest_of_their_group() -> None:
    tests = [{"id": "1", "group": "a"}, {"id": "2", "group": "b"}, {"id": "3"}]
    groups = [{"id": "a", "stop_on_failure": True}, {"id": "b"}]
    rules = SkipRules(EvaluationRequest(source="", tests=tests, groups=groups))
    rules.note("a", Verdict.ACCEPTED)
    assert not rules.skips("a")
    rules.note("b", Verdict.WRONG_ANSWER)
    rules.note(None, Verdict.WRONG_ANSWER)
    assert not any(rules.skips(group) for group in ("a", "b", None))
    rules.note("a", Verdict.TIME_LIMIT_EXCEEDED)
    assert [rules.skips(group) for group in ("a", "b", None)] == [True, False, False]
    rules.note("b", Verdict.COMPILE_ERROR)
    assert all(rules.skips(group) for group in ("a", "b", None))


def test_stop_on_failure_of_everything() -> None:
    rules = SkipRules(EvaluationRequest(source="", tests=[{"id": "1"}], stop_on_failure=True))
    assert not rules.skips(None)
    rules.note(None, Verdict.WRONG_ANSWER)
    assert rules.skips(None)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"tests": [{"id": "1", "group": "x"}]}, "tests.0.group: 'x' is not one of"),
        ({"groups": [{"id": "x"}]}, "groups.0: 'x' has no test"),
        ({"tests": [{"id": "1"}, {"id": "1"}]}, "'1' is there twice"),
        ({"tests": [{"id": "1", "args": []}]}, "tests.0.args: does not go with grader 'stdio'"),
        ({"tests": [{"id": "1", "expected": 1}]}, "tests.0.expected: does not go with grader 'stdio'"),
        ({"grader": {"kind": "function"}}, "tests.0.expected: is missing"),
        (
            {"grader": {"kind": "function"}, "tests": [{"id": "1", "expected": 1, "stdin": ""}]},
            "tests.0.stdin: does not go with grader 'function'",
        ),
        (
            {"grader": {"kind": "episode", "env": "CartPole-v1"}, "checker": {"kind": "lines"}},
            "checker: no test has an output that 'lines' could check",
        ),
        (
            {"grader": {"kind": "dialogue"}, "tests": [{"id": "1", "secret": 1}], "checker": {"kind": "floats"}},
            "checker: no test has an output that 'floats' could check",
        ),
        ({"source": "\ud800"}, "unicode string"),
        ({"tests": [{"id": "1", "stdin": "\udfff"}]}, "unicode string"),
    ],
)
def test_requests_that_make_no_sense_are_refused(changes: dict, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        EvaluationRequest.model_validate({"source": "", "tests": [{"id": "1"}]} | changes)


@pytest.mark.parametrize(
    ("grader", "test"),
    [
        ({"kind": "episode", "env": "CartPole-v1"}, {"seed": 1}),
        ({"kind": "dialogue"}, {"secret": 1}),
        ({"kind": "dialogue"}, {"turns": [{"expect": "x"}]}),
    ],
)
def test_what_needs_no_checker_is_read_back_with_the_one_that_is_the_default(grader: dict, test: dict) -> None:
    request = EvaluationRequest.model_validate({"source": "", "grader": grader, "tests": [{"id": "1", **test}]})
    assert EvaluationRequest.model_validate_json(request.model_dump_json()) == request


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé\0🦊"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab$"), inner, max_size=3),
    max_leaves=8,
)


@given(args=st.lists(json_values), expected=json_values)
def test_a_request_is_read_back_from_its_own_json(args: list[object], expected: object) -> None:
    request = EvaluationRequest(
        source="x",
        grader={"kind": "function"},
        tests=[{"id": "1", "args": args, "expected": expected}],
        checker={"kind": "floats"},
    )
    again = EvaluationRequest.model_validate_json(request.model_dump_json())
    assert again == request
    assert repr(again) == repr(request)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (float("nan"), "not a JSON number"),
        ([{"a": float("inf")}], "not a JSON number"),
        ("\ud800", "lone surrogate"),
        ({"\ud800": 1}, "lone surrogate"),
        pytest.param(10**4300, "bits", id="large"),
        (eval("[" * 60 + "]" * 60), "levels deep"),
    ],
)
def test_what_json_cannot_hold_is_refused(value: object, what: str) -> None:
    tests = [{"id": "1", "expected": value}]
    with pytest.raises(ValidationError, match=what):
        EvaluationRequest.model_validate({"source": "", "grader": {"kind": "function"}, "tests": tests})


def test_group_takes_the_old_name_of_its_scoring() -> None:
    old = Group.model_validate({"id": "a", "policy": "sum"})
    assert old == Group.model_validate({"id": "a", "scoring": "sum"})
    assert "policy" not in old.model_dump()
    with pytest.raises(ValidationError, match=r"policy\n.*'all_or_nothing' or 'sum'"):
        Group.model_validate({"id": "a", "policy": "most"})
    with pytest.raises(ValidationError, match="policy"):
        Group.model_validate({"id": "a", "policy": "sum", "scoring": "sum"})
    schema = Group.model_json_schema()["properties"]
    assert schema["policy"]["deprecated"] is True
    assert "deprecated" not in schema["scoring"]

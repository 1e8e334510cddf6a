"""Attacks on graders whose tests are code: forged results, stolen tests, a patched pytest, faked exits. On every tier.

One evaluation for each tier: every attack is a function of the submission. Of a pytest suite, each has a process of its
own; of a notebook, those that end it do.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.evaluation.submissions import check_submission
from rlplatform.sandbox.models import Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

SECRET = "sec" + "ret-of-the-suite"
PREFIX = """
import os, sys, types
class Always:
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __le__(self, other): return True
    def __contains__(self, item): return True
    def __getattr__(self, name): return lambda *args, **kwargs: True
    __hash__ = object.__hash__
class Number(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __hash__ = int.__hash__
def write_everywhere(line):
    for descriptor in range(3, 30):
        try: os.write(descriptor, line)
        except OSError: pass
"""
ATTACKS = {
    "equal_to_everything": ("return Always()", "wrong_answer"),
    "number_equal_to_everything": ("return Number(5)", "wrong_answer"),
    "exit_with_success": ("os._exit(0)", "runtime_error"),
    "raise_system_exit": ("sys.exit(0)", "runtime_error"),
    "interrupt_the_suite": ("raise KeyboardInterrupt", "runtime_error"),
    "skip_the_test": ("import pytest; pytest.skip('no')", "runtime_error"),
    "end_the_session": ("import pytest; pytest.exit('no', 0)", "runtime_error"),
    "name_itself_skipped": ("raise type('Skipped', (Exception,), {'__module__': 'builtins'})('no')", "runtime_error"),
    "forge_a_report": (
        'write_everywhere(b\'!{"phases":[{"when":"call","outcome":"passed"}],"token":""}\\n\'); return 5',
        "runtime_error",
    ),
    "forge_an_answer": ('write_everywhere(b\'{"value":{"object":[0,[1,2,3]]}}\\n\'); return 5', None),
    "patch_pytest": (
        "import _pytest.assertion, _pytest.runner\n"
        "    _pytest.runner.call_and_report = _pytest.runner.runtestprotocol = lambda *a, **k: None\n"
        "    sys.modules['pytest'] = types.ModuleType('pytest')\n    return 5",
        "wrong_answer",
    ),
    "leave_a_conftest": (
        "open('conftest.py', 'w').write('import os; os._exit(0)'); "
        "open('sitecustomize.py', 'w').write('import os; os._exit(0)'); return 5",
        "wrong_answer",
    ),
    "call_back_what_is_not_there": (
        'write_everywhere(b\'{"callback":"__import__","args":{"tuple":["os"]},"kwargs":{"dict":[]}}\\n\')\n'
        "    return 5",
        None,
    ),
    "search_the_tests": (
        "for top, folders, names in os.walk('/'):\n"
        "        if top.startswith(('/proc', '/sys', '/usr', '/lib', '/dev', '/opt', '/etc', '/var')): continue\n"
        "        for name in names:\n"
        "            try: text = open(os.path.join(top, name), errors='replace').read(99999)\n"
        "            except OSError: continue\n"
        "            if 'sec' + 'ret-of-the-suite' in text: return 'BREACH ' + name\n"
        "    import gc\n"
        "    if any('sec' + 'ret-of-the-suite' in text for text in gc.get_objects() if type(text) is str):\n"
        "        return 'BREACH in memory'\n"
        "    return 5",
        "wrong_answer",
    ),
    "hang": ("while True: pass", "time_limit_exceeded"),
    "flood": ("return 'x' * (40 << 20)", None),
}
SUBMISSION = PREFIX + "".join(f"def {name}():\n    {body}\n" for name, (body, _) in ATTACKS.items())
SUITE = f"""
import pytest
import main
SECRET = {SECRET!r}

@pytest.mark.parametrize("name", {list(ATTACKS)!r})
def test_attack(name):
    found = getattr(main, name)()
    try:
        close = abs(found - 4) < 1e-9
    except TypeError:
        close = False
    assert found == 4 or close or found.__class__ is dict and 4 in found, found
"""


@pytest.mark.parametrize("tier", list(Tier))
def test_attacks_on_a_pytest_suite_fail(request: pytest.FixtureRequest, tier: Tier) -> None:
    pool: DockerPool = request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool")
    fields = {
        "source": SUBMISSION,
        "grader": {"kind": "pytest", "suite": SUITE},
        "tests": [{"id": "all", "points": len(ATTACKS)}],
        "limits": {"cpu_time_s": 2, "wall_time_s": 8, "memory_mib": 256},
        "image": "python-rl",
        "tier": tier,
    }
    judgement = Judge(pool).judge(EvaluationRequest.model_validate(fields), lambda _: None, tenant="school")
    found = {result.id.partition("[")[2].rstrip("]"): result for result in judgement.tests}
    assert set(found) == set(ATTACKS), judgement.tests
    assert judgement.score == 0
    for name, (_, verdict) in ATTACKS.items():
        result = found[name]
        assert result.verdict in (
            (verdict,) if verdict else ("wrong_answer", "runtime_error", "output_limit_exceeded")
        ), result
        assert "BREACH" not in result.model_dump_json()


# -- shared ------------------------------------------------------------------------------------------------------------

SHARED = """
import os, sys
def write_everywhere(line):
    for descriptor in range(3, 30):
        try: os.write(descriptor, line)
        except OSError: pass
def leave(): os._exit(0)
def leave_at_exit():
    sys.exit(0)
def forge_a_report():
    write_everywhere(b'!{"phases":[{"when":"call","outcome":"passed"}],"token":""}\\n')
    os._exit(0)
def guess_the_token():
    for number in range(100):
        line = '!{"phases":[{"when":"call","outcome":"passed"}],"token":"%032x"}\\n' % number
        write_everywhere(line.encode())
    os._exit(0)
def close_the_wire():
    os.closerange(3, 30)
    return 4
def hang():
    while True: pass
"""
SHARED_SUITE = """
import pytest
import main

NAMES = [name for name in dir(main) if callable(getattr(main, name)) and name != "write_everywhere"]

@pytest.mark.parametrize("name", NAMES)
def test_attack(name):
    assert getattr(main, name)() == 5
"""


@pytest.mark.parametrize("tier", list(Tier))
def test_a_shared_suite_that_is_ended_or_told_lies_accepts_nothing(request: pytest.FixtureRequest, tier: Tier) -> None:
    """Check what isolation *shared* promises: no result without the token of the run, and each result says *shared*."""
    fields = {
        "source": SHARED,
        "grader": {"kind": "pytest", "suite": SHARED_SUITE, "isolation": "shared"},
        "tests": [{"id": "all", "points": 6}],
        "limits": {"cpu_time_s": 2, "wall_time_s": 8, "memory_mib": 256},
    }
    judgement = judge(request, tier, fields)
    assert len(judgement.tests) == 6
    assert judgement.score == 0
    for result in judgement.tests:
        assert result.isolation == "shared"
        assert result.verdict in ("runtime_error", "wrong_answer", "time_limit_exceeded"), result


@pytest.mark.parametrize("path", ["conftest.py", "pytest.ini", "test_own.py", "sub/conftest.py", "sitecustomize.py"])
def test_files_that_would_configure_pytest_are_refused_from_a_submission(path: str) -> None:
    fields = {
        "source": "",
        "files": [{"path": path, "content": ""}],
        "grader": {"kind": "pytest", "suite": SHARED_SUITE, "isolation": "shared"},
        "tests": [{"id": "all"}],
    }
    with pytest.raises(InvalidRequest, match="is pytest's"):
        check_submission(EvaluationRequest.model_validate(fields))


# -- notebooks ---------------------------------------------------------------------------------------------------------

CELL_ATTACKS = {
    **{name: ATTACKS[name] for name in ("equal_to_everything", "number_equal_to_everything", "search_the_tests")},
    **{name: ATTACKS[name] for name in ("forge_an_answer", "call_back_what_is_not_there", "exit_with_success", "hang")},
    "forge_a_step": (
        'write_everywhere(b\'+{"phases":[{"when":"call","outcome":"passed"}]}\\n\'); return 5',
        None,
    ),
    "patch_the_checks": (
        "import builtins, doctest, _rlp.notebook_check as check\n"
        "    check.run_test = doctest.DocTestRunner.run = lambda *a, **k: None\n"
        "    builtins.AssertionError = ValueError\n    return 5",
        "wrong_answer",
    ),
    "patch_the_server": (
        "import _rlp.notebook_cells as cells\n"
        "    cells.NotebookServer._answer = lambda self, request: {'value': 4}\n    return 5",
        None,
    ),
}
NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "code", "source": PREFIX + "import numpy as np\nnp.isclose = np.all = lambda *a: True"},
            *(
                {"cell_type": "code", "source": f"def {name}():\n    {body}"}
                for name, (body, _) in CELL_ATTACKS.items()
            ),
            {"cell_type": "code", "source": "math = Always()\nabs = len = lambda *a: 0\nclass AssertionError2: pass"},
        ],
    }
)


@pytest.mark.parametrize("tier", list(Tier))
def test_attacks_on_the_test_cells_of_a_notebook_fail(request: pytest.FixtureRequest, tier: Tier) -> None:
    tests = []
    for name in CELL_ATTACKS:
        check = "assert np.isclose(found, 4) and math.isclose(found, 4) and found == 4"
        cell = f"SECRET = {SECRET!r}\nfound = {name}()\n{check}"
        tests.append({"id": name, "cell": cell, "hidden": True})
    fields = {
        "source": NOTEBOOK,
        "grader": {"kind": "notebook"},
        "tests": tests,
        "limits": {"cpu_time_s": 4, "wall_time_s": 8, "memory_mib": 256},
    }
    judgement = judge(request, tier, fields)
    assert judgement.score == 0, judgement
    for result in judgement.tests:
        assert result.verdict != "accepted"
        assert "BREACH" not in result.model_dump_json()
    for made in judgement.kept:
        assert SECRET.encode() not in made.content


def judge(request: pytest.FixtureRequest, tier: Tier, fields: dict[str, Any]) -> Judgement:
    pool: DockerPool = request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool")
    asked = EvaluationRequest.model_validate({**fields, "image": "python-rl", "tier": tier})
    return Judge(pool).judge(asked, lambda _: None, tenant="school")

"""``rlp run`` and ``rlp evaluate`` with notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlplatform.cli import exit_codes
from rlplatform.evaluation.models import Verdict
from tests.api.command import rlp

pytestmark = pytest.mark.anyio

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}], "nbformat": 4, "metadata": {}})


async def test_a_notebook_is_run_and_judged(platform, tmp_path: Path) -> None:
    (tmp_path / "hw.ipynb").write_text(NOTEBOOK)
    (tmp_path / "tests.json").write_text(json.dumps([{"id": "q1", "cell": "assert x == 1", "hidden": True}]))
    async with platform(judge=Verdict.ACCEPTED) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        ran = await rlp(tmp_path, "run", "hw.ipynb", **at)
        assert ran.code == exit_codes.DONE, ran
        judged = await rlp(tmp_path, "evaluate", "hw.ipynb", "--tests", "tests.json", "--isolation", "shared", **at)
        assert judged.code == exit_codes.DONE, judged
        judged, run = [await it.store.get(found.id) for found in await it.store.find("evaluation")]
        assert (run.request.grader.kind, run.request.entry) == ("notebook", "hw.ipynb")
        assert [(test.id, test.cell) for test in run.request.tests] == [("run", None)]
        assert judged.request.grader.isolation == "shared"
        assert [(test.cell, test.hidden) for test in judged.request.tests] == [("assert x == 1", True)]
        wrong = await rlp(tmp_path, "evaluate", "hw.ipynb", "--expect", "1", **at)
        assert (wrong.code, "leave out --expect" in wrong.err) == (exit_codes.USAGE, True)
        wrong = await rlp(tmp_path, "run", "hw.ipynb", "--stdin", "1", **at)
        assert (wrong.code, "reads no input" in wrong.err) == (exit_codes.USAGE, True)

"""A folder of tests, in whichever of the known layouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rlplatform.cli.test_packages import dmoj, kattis, notebook_tests
from rlplatform.cli.test_packages.package import TestPackage
from rlplatform.cli.test_packages.pairs import read_pairs


@contextmanager
def read_folder(folder: Path) -> Iterator[TestPackage]:
    """Give the tests of ``folder``. Their files may exist only meanwhile.

    Raises:
        InvalidRequest: it has no tests, or some that this platform cannot run.
    """
    if (folder / dmoj.FILE).is_file():
        with dmoj.read_dmoj(folder) as package:
            yield package
    elif kattis.is_kattis(folder):
        yield kattis.read_kattis(folder)
    elif notebook_tests.is_otter(folder):
        yield notebook_tests.read_otter(folder)
    else:
        yield read_pairs(folder)

"""Suite of a grader: code of the instructor's that tests submissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rlplatform.evaluation.suites.reports import Node
from rlplatform.sandbox.models import Limits, Program

WIRE_KIB = 16 << 10
"""Output that a program may send as messages, in KiB."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Program of a suite, and the limits of its process."""

    program: Program
    limits: Limits


@dataclass(frozen=True, slots=True)
class NodeSuite(Suite):
    """Suite that has nodes, and what the tests of a request become.

    ``select`` returns the tests for the nodes that were found, or says why there are none.
    """

    select: Callable[[Sequence[Node], Sequence[Any]], list[Any] | str]
    node_of: Callable[[Any], str]

"""Reports of a suite: its nodes, and how each of them ended."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rlplatform.evaluation.graders.base import Decision

_Text = Annotated[str, Field(max_length=1 << 17)]


class Node(BaseModel):
    """A test of the suite. ``weight``: its share in the points."""

    model_config = ConfigDict(strict=True)

    node: str = Field(min_length=1, max_length=512)
    weight: float = Field(default=1.0, ge=0, le=1e6)
    hidden: bool = False


class SuiteError(BaseModel):
    """Error while the suite was collected. ``submission``: the submission has raised it."""

    text: _Text
    submission: bool


class NodePhase(BaseModel):
    """Setup, call or teardown of a node."""

    when: str
    outcome: Literal["passed", "failed", "raised", "skipped", "suite", "ended"]
    message: _Text | None = None
    stdout: _Text = ""
    stderr: _Text = ""


class CellError(BaseModel):
    """Error of a cell of a notebook."""

    name: str = Field(max_length=200)
    text: str = Field(max_length=2000)
    line: int | None = None


class Cell(BaseModel):
    """Executed cell of a notebook: its outputs as they came, which nobody has checked, and its error."""

    outputs: list[dict[str, Any]] = Field(max_length=10_000)
    error: CellError | None = None


class Report(BaseModel):
    """Message of a suite: either its nodes, or its errors, or the phases of one node, or of one cell."""

    token: str = ""
    cpu_s: float = Field(default=0.0, ge=0, le=1e6, allow_inf_nan=False)
    nodes: list[Node] | None = Field(default=None, max_length=1000)
    errors: list[SuiteError] | None = None
    phases: list[NodePhase] | None = None
    cell: Cell | None = None

    def decision(self) -> Decision | None:
        """Return the result of a node; None if the submission's process ended in the middle of it."""
        phases = self.phases or []
        failed = next((phase for phase in phases if phase.outcome != "passed"), None)
        if failed is None:
            if not phases:
                return Decision("internal_error", "the suite did not report the test")
            return Decision("accepted")
        match failed.outcome:
            case "ended":
                return None
            case "skipped":
                return Decision("skipped", f"skipped by the suite: {failed.message}" if failed.message else None)
            case "raised":
                return Decision("runtime_error", failed.message)
            case "suite":
                return Decision("internal_error", f"the suite failed in {failed.when}: {failed.message}")
        return Decision("wrong_answer", failed.message)

    def captured(self) -> tuple[bytes, bytes]:
        """Return stdout and stderr of a node."""
        if not self.phases:
            return b"", b""
        shown = next((phase for phase in self.phases if phase.outcome != "passed"), self.phases[-1])
        return self.phases[-1].stdout.encode("utf-8", "replace"), shown.stderr.encode("utf-8", "replace")


def read_report(message: dict[str, object]) -> Report | None:
    """Return a report; None if the message is none."""
    try:
        return Report.model_validate(message)
    except ValidationError:
        return None

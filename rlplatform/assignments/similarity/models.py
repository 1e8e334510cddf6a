"""Documents of similarity reports: pairs of submissions whose code is alike."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from rlplatform.json_models import StrictModel

MAX_PAIRS = 200
SimilarityState = Literal["running", "ready", "failed"]


class SimilarityRequest(StrictModel):
    """A comparison of the submissions that count."""

    min_similarity: float = Field(default=0.5, ge=0.1, le=1)
    """Least similarity of a pair that is listed, from 0 to 1."""


class Passage(StrictModel):
    """Lines of a submission that are alike in the other one."""

    path: str
    """Path of the file. Of a notebook, the lines are those of its code cells, one after the other."""
    first_line: int
    """Number of the first line, from 1."""
    last_line: int
    """Number of the last line."""


class ComparedSubmission(StrictModel):
    """One submission of a pair."""

    submission_id: str
    """Id of the submission."""
    member_id: str
    """Id of the member."""
    external_id: str
    """Id of that person in the course's own lists."""
    name: str
    """Name of the person."""
    share: float
    """Share of its code that is in the other submission, from 0 to 1, without the code of the assignment."""
    passages: list[Passage]
    """The lines that are alike, at most 20 passages."""


class SimilarPair(StrictModel):
    """Two submissions whose code is alike."""

    similarity: float
    """The larger one of the two shares: code that was added to a copy does not lower it."""
    a: ComparedSubmission
    """The earlier submission."""
    b: ComparedSubmission
    """The later submission."""


class SkippedSubmission(StrictModel):
    """A submission that was not compared."""

    submission_id: str
    """Id of the submission."""
    external_id: str
    """Id of the member in the course's own lists."""
    reason: str
    """Reason why it was not compared."""


class SimilarityReport(StrictModel):
    """Comparison of the submissions that count: a list of pairs to look at, never a verdict."""

    assignment: str
    """Name of the assignment."""
    state: SimilarityState
    """`running`, `ready` or `failed`."""
    min_similarity: float
    """Least similarity of a pair that is listed."""
    compared: int = 0
    """Number of submissions that were compared."""
    pairs: list[SimilarPair] = Field(default_factory=list)
    """The pairs, most similar first, at most 200."""
    skipped: list[SkippedSubmission] = Field(default_factory=list)
    """Submissions that were not compared."""
    message: str | None = None
    """Reason of a failure; null: none."""
    created_at: datetime
    """Time when it was asked for."""
    created_by: str
    """Id of the principal that asked for it."""
    finished_at: datetime | None = None
    """Time when it was ready or had failed; null: it is running."""

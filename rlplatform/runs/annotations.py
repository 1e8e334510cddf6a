"""Annotations of a run: the name, labels and notes that people give it when it starts, or at any time later.

They are no part of the run's events: a finished run can be annotated, too.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from rlplatform import patterns
from rlplatform.errors import InvalidRequest
from rlplatform.json_models import StrictModel, Text, check_text

MAX_LABELS = 32
MAX_NAME = 120


def _one_line(text: str) -> str:
    if not check_text(text).isprintable():
        raise ValueError("has a character that cannot be printed; one line of text is accepted")
    return text


def _few(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > MAX_LABELS:
        raise ValueError(f"has {len(labels)} labels; at most {MAX_LABELS} are accepted")
    return labels


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_one_line)]
LabelKey = Annotated[str, Field(pattern=patterns.LABEL_KEY)]
LabelValue = Annotated[str, Field(max_length=256), AfterValidator(_one_line)]
Labels = Annotated[dict[LabelKey, LabelValue], AfterValidator(_few)]
Notes = Annotated[Text, Field(max_length=10_000)]


class Annotations(StrictModel):
    """Name, labels and notes of a run."""

    name: Name | None = None
    """Name of the run for people; null: none. It need not be unique."""
    labels: Labels = Field(default_factory=dict)
    """Labels to find the run by: keys with their values."""
    notes: Notes | None = None
    """Notes of any length up to 10,000 characters; null: none."""

    @property
    def annotations(self) -> Annotations:
        """These annotations alone."""
        return _annotations_of(self)


class RunDocument(StrictModel):
    """Fields that the documents of all runs begin with."""

    id: str
    """Id of the run."""
    name: str | None = None
    """Name of the run for people; null: none."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels to find the run by."""
    notes: str | None = None
    """Notes about the run; null: none."""
    submitter: str | None = None
    """Principal that submitted the run: id of the first API key of its rotations, or `sub` of the JWT."""

    @property
    def annotations(self) -> Annotations:
        """Name, labels and notes of the run."""
        return _annotations_of(self)


def _annotations_of(given: Annotations | RunDocument) -> Annotations:
    return Annotations.model_construct(name=given.name, labels=given.labels, notes=given.notes)


class RunPatch(StrictModel):
    """Changes of a run's name, labels and notes. Fields that are left out stay unchanged."""

    name: Name | None = None
    """New name; null: none."""
    labels: dict[LabelKey, LabelValue | None] = Field(default_factory=dict, max_length=2 * MAX_LABELS)
    """Labels to set; a label with the value null is removed, and the others stay."""
    notes: Notes | None = None
    """New notes; null: none."""

    def applied_to(self, known: Annotations) -> Annotations:
        """Return ``known`` after these changes.

        Raises:
            InvalidRequest: there would be too many labels.
        """
        labels = {key: value for key, value in known.labels.items() if key not in self.labels}
        labels |= {key: value for key, value in self.labels.items() if value is not None}
        if len(labels) > MAX_LABELS:
            raise InvalidRequest(
                f"labels: the run would have {len(labels)}; at most {MAX_LABELS} are accepted", field="labels"
            )
        return Annotations.model_construct(
            name=self.name if "name" in self.model_fields_set else known.name,
            labels=labels,
            notes=self.notes if "notes" in self.model_fields_set else known.notes,
        )

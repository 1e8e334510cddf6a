"""Text of programs and of streams in requests: given in place, or as an uploaded file."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from rlplatform.files.models import FileRef, text_or_file
from rlplatform.json_models import StrictModel, check_text

_File = Annotated[FileRef, Tag("upload")]
_Source = Annotated[str, Field(max_length=262_144), AfterValidator(check_text), Tag("text")]
_Stream = Annotated[str, Field(max_length=1_048_576), AfterValidator(check_text), Tag("text")]

Source = Annotated[_Source | _File, Discriminator(text_or_file)]
Stream = Annotated[_Stream | _File, Discriminator(text_or_file)]


class SourceFile(StrictModel):
    """A further file of a submission, or of a suite."""

    path: str = Field(min_length=1, max_length=128)
    """Relative POSIX path, for example `helpers/grid.py`."""
    content: Source
    """Text of the file, or an uploaded file with any bytes."""

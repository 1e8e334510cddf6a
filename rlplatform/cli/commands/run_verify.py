"""``rlp runs verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.follow import follow_training, page_of
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.client import Client
from rlplatform.ids import Kind
from rlplatform.training.verification import Verification, compared, hashes, repetition

_TYPES = ("training.iteration_completed",)


def verify(
    ctx: typer.Context,
    training_id: Annotated[str, typer.Argument(help="train_…, or the beginning or end of it.")],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Train again and compare the parameters.

    They are compared after each iteration. Exit status 1: they differ. Equal results need the same CPU type.
    """
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        original = client.training(full_id(client, training_id, Kind.TRAINING))
        again = client.start_training(repetition(original))
        output.note(f"{again.id} repeats {original.id}\npage: {page_of(client, again)}")
        again = follow_training(client, again, output)
        found = compared(original, again, _hashes(client, original.id), _hashes(client, again.id))
    output.document(found, _in_words(found))
    raise typer.Exit(exit_codes.DONE if found.equal else exit_codes.FAILED)


def _hashes(client: Client, training_id: str) -> dict[int, str]:
    return hashes(client.events(training_id, types=_TYPES))


def _in_words(found: Verification) -> str:
    if found.equal:
        said = f"equal: {found.iterations} iterations, parameters {found.parameters_sha256}"
    else:
        said = f"different: first after iteration {found.first_difference} of {found.iterations}"
    return "\n".join([said, *(f"  {line}" for line in found.circumstances)])

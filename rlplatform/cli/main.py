"""The entry point of ``rlp``: its families, and what becomes of errors."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rlplatform.cli import exit_codes
from rlplatform.cli.commands import (
    admin,
    assignment,
    env,
    episode,
    files,
    image,
    keys,
    lti,
    members,
    policy,
    runs,
    sandbox,
    study,
    sweep,
    usage,
    webhooks,
)
from rlplatform.cli.commands.doctor import doctor
from rlplatform.cli.commands.evaluate import evaluate
from rlplatform.cli.commands.export import export
from rlplatform.cli.commands.run import run
from rlplatform.cli.commands.serve import serve
from rlplatform.cli.commands.submit import submit
from rlplatform.cli.commands.train import train
from rlplatform.cli.follow import Interrupted
from rlplatform.cli.hyperparameter_options import TrainingCommand
from rlplatform.cli.output import Output
from rlplatform.errors import PlatformError


class _Rlp(TyperGroup):
    """Turns the platform's errors into messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        ctx.obj = output = Output()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except PlatformError as error:
            output.error(error)
            raise typer.Exit(exit_codes.code_of(error)) from None
        except OSError as error:
            output.note(f"error: {error}")
            _discard_stdout()
            raise typer.Exit(exit_codes.FAILED) from None
        except Interrupted as left:
            output.note(f"\n{left}")
            raise typer.Exit(exit_codes.INTERRUPTED) from None
        except KeyboardInterrupt:
            raise typer.Exit(exit_codes.INTERRUPTED) from None


app = typer.Typer(
    cls=_Rlp,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train policies and evaluate code on an rlplatform. Every command but serve has --json.",
)
app.command(cls=TrainingCommand)(train)
app.command()(evaluate)
app.command()(run)
app.command()(submit)
app.command(cls=TrainingCommand)(sweep.sweep)
app.add_typer(study.app, name="study")
app.add_typer(runs.app, name="runs")
app.command()(export)
app.add_typer(assignment.app, name="assignment")
app.add_typer(members.app, name="members")
app.add_typer(lti.app, name="lti")
app.add_typer(policy.app, name="policy")
app.add_typer(episode.app, name="episode")
app.add_typer(files.app, name="files")
app.add_typer(env.app, name="env")
app.add_typer(image.app, name="image")
app.add_typer(keys.app, name="keys")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(usage.app, name="usage")
app.add_typer(admin.app, name="admin")
app.command()(doctor)
app.command()(serve)


def _print_version(wished: bool) -> None:
    if wished:
        typer.echo(f"rlp {version('rlplatform')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Exit codes: 0 done (and accepted), 1 failed or not accepted, 2 usage, 3 not authenticated, 4 not found, 5 server,
    130 interrupted (a run that was followed continues).
    """


def _discard_stdout() -> None:
    """Drop what stdout still buffers: the interpreter would fail to write it again when it ends."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal has a ✓
    app()

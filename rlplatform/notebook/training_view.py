"""A training in a notebook: its state and curve, live, and its metrics as a data frame."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Unpack

from rlplatform.client import Client
from rlplatform.client.filters import RunFilters
from rlplatform.errors import Unavailable
from rlplatform.notebook.curve_svg import Evaluated, curve
from rlplatform.training.metrics import EPISODE_RETURN_MEAN
from rlplatform.training.models import Training

_POINTS = 400


class TrainingView:
    """A training as the last line of a cell shows it: state, figures and learning curve.

    Example:
        >>> client = Client()
        >>> view = TrainingView(client, client.start_training(env="CartPole-v1").id)
        >>> view.watch()  # draws the curve until the training ends

    Args:
        client: client of the platform; it stays open.
        training_id: id of the training.
    """

    def __init__(self, client: Client, training_id: str) -> None:
        self._client = client
        self.training: Training = client.training(training_id)

    def refresh(self) -> TrainingView:
        """Read the newest state of the training; return this view."""
        self.training = self._client.training(self.training.id)
        return self

    def watch(self, every_s: float = 1.0) -> TrainingView:
        """Follow the training to its end, and redraw the curve in place. Interrupting the cell leaves it running.

        Args:
            every_s: seconds of the training's own time between two drawings.

        Raises:
            Unavailable: IPython is not installed.
        """
        show = _display()
        drawn_at = float("-inf")
        show(self.refresh())
        for event in self._client.events(self.training.id, after=self.training.seq):
            if event.final or event.time.timestamp() - drawn_at >= every_s:
                drawn_at = event.time.timestamp()
                show(self.refresh())
        return self

    def to_dataframe(self) -> Any:
        """Return all iterations as a pandas data frame: counters, metrics, and ``eval/…`` where the policy was
        evaluated.

        Raises:
            Unavailable: pandas is not installed.
        """
        return dataframe(self._client, self.training.id)

    def _repr_html_(self) -> str:
        training = self.training
        series = self._client.metrics(training.id, max_points=_POINTS)
        (run,) = self._client.compare(training.id, max_points=2).groups[0].runs
        returns = [float("nan") if each is None else each for each in series.metrics.get(EPISODE_RETURN_MEAN, [])]
        picture = curve(
            series.env_steps[: len(returns)],
            returns,
            [Evaluated(each.x, each.mean, each.std) for each in run.evaluations],
            x_label="environment steps",
        )
        page = f"{self._client.url}/#/trainings/{training.id}"
        title = escape(training.name or f"{training.request.env}, seed {training.request.seed}")
        return (
            f'<div><b>{title}</b> · {escape(self._figures())} · <a href="{escape(page)}" target="_blank">page</a><br>'
            f"{picture or 'The curve appears after the first episodes.'}</div>"
        )

    def __repr__(self) -> str:
        return f"{self.training.id}: {self._figures()}"

    def _figures(self) -> str:
        training = self.training
        parts = [training.state.value, f"{training.progress.env_steps:,} steps"]
        if EPISODE_RETURN_MEAN in training.metrics:
            parts.append(f"return {training.metrics[EPISODE_RETURN_MEAN]:.1f}")
        if training.evaluation is not None:
            report = training.evaluation
            parts.append(f"evaluation {report.episode_return_mean:.1f} ± {report.episode_return_std:.1f}")
        return " · ".join(parts)


def dataframe(client: Client, *training_ids: str, **filters: Unpack[RunFilters]) -> Any:
    """Return the iterations of trainings as one pandas data frame, by id or by filter.

    Args:
        client: client of the platform.
        training_ids: trainings; without any, those that ``filters`` find.
        filters: see :class:`~rlplatform.client.filters.RunFilters`; ``sort`` is not accepted.

    Raises:
        InvalidRequest: neither trainings nor filters are given, or both, or more than 1,000 are found.
        Unavailable: pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError:
        raise Unavailable("pandas is not installed here: pip install 'rlplatform[analysis]'") from None
    with tempfile.TemporaryDirectory() as folder:
        table = client.export_metrics(Path(folder, "trainings.csv"), *training_ids, **filters)
        return pandas.read_csv(table)


def _display() -> Callable[[TrainingView], None]:
    """Return a function that shows a view, each time in the place of the last."""
    try:
        from IPython.display import display
    except ModuleNotFoundError:
        raise Unavailable("IPython is not installed here: show the view itself, or pip install ipykernel") from None
    make: Callable[..., Any] = display
    handle = make(display_id=True)

    def show(view: TrainingView) -> None:
        if handle is not None:
            handle.update(view)

    return show

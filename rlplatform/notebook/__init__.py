"""Trainings in a notebook: live curves, and tables as data frames."""

from rlplatform.notebook.training_view import TrainingView, dataframe

__all__ = ["TrainingView", "dataframe"]

"""Figures that show classes. Each function returns a Matplotlib figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

# Largest number of class names that can be read at the size of the figures.
_NAMED = 20


def confusion(matrix: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    """A confusion matrix [C, C] of counts, shown as fractions of each row (the true class)."""
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axes = _axes(title, "answer", "class", side=5.5)
    image = axes.imshow(fractions, vmin=0, vmax=1, cmap="Blues")
    if len(class_names) > _NAMED:
        figure.colorbar(image, shrink=0.8)
        return figure
    _name_columns(axes, class_names)
    axes.set_yticks(range(len(class_names)), class_names)
    for (row, column), value in np.ndenumerate(fractions):
        if value >= 0.005:
            color = "white" if value > 0.6 else "black"
            text = f"{100 * value:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7)
    return figure


def class_weights(means: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    """The mean weights [C] of the classes; NaN for a class without examples."""
    figure, axes = _axes(title, "given class", "mean weight", side=3.5)
    axes.bar(range(len(means)), means, color="tab:blue")
    if len(class_names) <= _NAMED:
        _name_columns(axes, class_names)
    return figure


def _name_columns(axes, class_names: Sequence[str]) -> None:
    """Writes the names along the x axis; vertically if they are too long together."""
    rotation = 90 if sum(map(len, class_names)) > 40 else 0
    axes.set_xticks(range(len(class_names)), class_names, rotation=rotation)


def _axes(title: str, x_label: str, y_label: str, side: float):
    figure = Figure(figsize=(5.5, side), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes

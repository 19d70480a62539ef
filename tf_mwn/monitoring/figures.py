"""Figures of runs and comparisons. Each function returns a Matplotlib figure."""

import io
import textwrap
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tf_mwn.extras import extra

with extra("plots"):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

# Largest number of class names that can be read at the size of the figures.
_NAMED = 20
# Letters of a title in a unit of width.
_LETTERS = 11


def weight_curve(losses: np.ndarray, weights: np.ndarray, title: str) -> Figure:
    """V(loss): weight against loss, both [N]."""
    figure, axes = _axes(title, "loss of a training example", "weight")
    axes.plot(losses, weights, color="tab:blue")
    axes.set_ylim(bottom=0)
    axes.set_xlim(losses.min(), losses.max())
    return figure


def weight_histogram(weights: np.ndarray, is_wrong: np.ndarray | None, title: str) -> Figure:
    """Histogram of weights [N], separate for correct and wrong labels if these are known."""
    figure, axes = _axes(title, "weight", "training examples")
    bins = np.linspace(0, max(float(weights.max()), 1e-12), 41)
    if is_wrong is None:
        axes.hist(weights, bins, color="tab:blue")
        return figure
    axes.hist(weights[~is_wrong], bins, alpha=0.6, color="tab:green", label="correct label")
    axes.hist(weights[is_wrong], bins, alpha=0.6, color="tab:red", label="wrong label")
    axes.legend()
    return figure


def accuracy_curves(runs: Mapping[str, Sequence[Sequence[float]]], title: str) -> Figure:
    """Test accuracy per epoch: for each method a thin line per seed, and their mean."""
    figure, axes = _axes(title, "epoch", "test accuracy")
    for number, (method, curves) in enumerate(runs.items()):
        # Ten colours, then the same colours with the next line style.
        color, style = f"C{number % 10}", ("-", "--", ":", "-.", (0, (1, 3)))[number // 10 % 5]
        length = min(len(curve) for curve in curves)
        epochs = np.arange(1, length + 1)
        for curve in curves:
            axes.plot(epochs, curve[:length], color=color, alpha=0.25, linewidth=0.8)
        mean = np.mean([curve[:length] for curve in curves], axis=0)
        axes.plot(epochs, mean, color=color, linestyle=style, label=method)
    if len(runs) <= 5:
        axes.legend(loc="lower right")
    else:
        columns = -(-len(runs) // 20)
        figure.set_size_inches(5 + 2.2 * columns, 3.5 + 0.12 * min(len(runs), 20))
        figure.legend(loc="outside right upper", fontsize=8, ncols=columns)
    return figure


def planted_scatter(found: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """The AUC for planted errors against the AUC for the wrong labels, a point for each run."""
    title = "a point for each run"
    figure, axes = _axes(title, "AUC for planted errors", "AUC for wrong labels", size=(4.5, 4))
    for marker, (method, pairs) in zip("osv^", found.items(), strict=False):
        axes.plot(*zip(*pairs, strict=True), marker, fillstyle="none", label=method)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.legend(loc="lower right")
    return figure


def points(values: Mapping[str, Sequence[float]], x_label: str, title: str) -> Figure:
    """A row of points for each name, with their mean as a vertical stroke."""
    figure, axes = _axes(title, x_label, "")
    figure.set_size_inches(6, 1.2 + 0.35 * len(values))
    for row, numbers in enumerate(values.values()):
        axes.plot(numbers, [row] * len(numbers), "o", color="black", fillstyle="none")
        axes.plot(np.mean(numbers), row, "|", color="black", markersize=16)
    axes.set_yticks(range(len(values)), values)
    axes.set_ylim(len(values) - 0.5, -0.5)
    return figure


def intervals(
    panels: Mapping[str, Sequence[tuple[str, Sequence[float], tuple, float]]], title: str
) -> Figure:
    """Estimates with their intervals and thresholds, in a panel for each unit.

    Args:
        panels: unit -> rows (label, values, (low, estimate, high), threshold). Numbers that are
            not finite are not drawn.
        title: of the figure.
    """
    heights = [0.9 + 0.5 * len(rows) for rows in panels.values()]
    figure = _figure(7, 0.4 + sum(heights))
    _set_title(figure.suptitle, title, 7)
    parts = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (unit, rows) in zip(parts, panels.items(), strict=True):
        for y, (_, values, limits, threshold) in enumerate(rows):
            _draw_interval(axes, y, np.array(values, float), limits, threshold)
        axes.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=8)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(unit)
        axes.grid(axis="x", alpha=0.3)
    return figure


def _draw_interval(axes, y: int, values: np.ndarray, limits: tuple, threshold: float) -> None:
    low, estimate, high = limits
    axes.plot([threshold] * 2, [y - 0.4, y + 0.4], color="black", linestyle="--", linewidth=1)
    finite = values[np.isfinite(values)]
    axes.plot(finite, np.full(len(finite), y), "o", color="0.45", fillstyle="none")
    if np.isfinite([low, high]).all():
        axes.plot([low, high], [y, y], color="black", linewidth=1.5)
    if np.isfinite(estimate):
        axes.plot(estimate, y, "|", color="black", markersize=16, markeredgewidth=2)


def ratio_bars(ratios: Mapping[str, Mapping[str, float | None]], title: str) -> Figure:
    """Ratios to plain Keras training as bars, with a line at 1, in a panel for each kind of ratio.

    Args:
        ratios: case -> kind -> ratio, or None if there is none. A kind without any is left out.
        title: of the figure.
    """
    cases, kinds = list(ratios), dict.fromkeys(k for of_case in ratios.values() for k in of_case)
    kinds = [k for k in kinds if any(ratios[case][k] is not None for case in cases)]
    width = 3.5 + 2.5 * len(kinds)
    figure = _figure(width, 1 + 0.4 * len(cases))
    _set_title(figure.suptitle, title, width)
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        widths = [ratios[case][kind] or 0 for case in cases]
        bars = axes.barh(range(len(cases)), widths, color="tab:blue")
        axes.bar_label(bars, [f"{width:.2f}" for width in widths], padding=2, fontsize=8)
        axes.axvline(1, color="black", linewidth=1)
        axes.set_xlim(0, 1.3 * max(1, *widths))
        axes.set_xlabel(f"{kind}, 1 = plain Keras training")
    panels[0].set_yticks(range(len(cases)), cases, fontsize=8)
    panels[0].invert_yaxis()
    return figure


def trajectories(values: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Each named value over the epochs, in its own panel because the scales differ."""
    figure = _figure(5, 1 + 1.8 * len(values))
    panels = figure.subplots(len(values), sharex=True, squeeze=False)[:, 0]
    for axes, (name, curve) in zip(panels, values.items(), strict=True):
        axes.plot(np.arange(1, len(curve) + 1), curve, marker="." if len(curve) < 20 else None)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    _set_title(panels[0].set_title, title, 5)
    panels[-1].set_xlabel("epoch")
    return figure


def contact_sheet(
    images: np.ndarray, captions: Sequence[str], title: str, columns: int = 8
) -> Figure:
    """Images [n, H, W, C], C = 1 or 3, row by row, each with a caption.

    Bytes with C = 3 are drawn as they are. Other images are scaled from the least to the largest
    value of them all.
    """
    rows = -(-len(images) // columns)
    figure = _figure(1.3 * columns, 1.55 * rows + 0.5)
    _set_title(figure.suptitle, title, 1.3 * columns)
    if images.dtype != np.uint8 or images.shape[-1] == 1:
        low, high = float(images.min()), float(images.max())
        images = (images - low) / max(high - low, 1e-12)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, caption in zip(panels, images, captions, strict=False):
        axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray")
        axes.set_title(caption, fontsize=8)
    return figure


def confusion(matrix: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    """A confusion matrix [C, C] of counts, shown as fractions of each row (the true class)."""
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axes = _axes(title, "answer", "class", (5.5, 5.5), grid=False)
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
    figure, axes = _axes(title, "given class", "mean weight", (5.5, 3.5), grid=False)
    axes.bar(range(len(means)), means, color="tab:blue")
    if len(class_names) <= _NAMED:
        _name_columns(axes, class_names)
    return figure


def _name_columns(axes, class_names: Sequence[str]) -> None:
    """Writes the names along the x axis; vertically if they are too long together."""
    rotation = 90 if sum(map(len, class_names)) > 40 else 0
    axes.set_xticks(range(len(class_names)), class_names, rotation=rotation)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _set_title(draw: Callable[..., object], title: str, width: float) -> None:
    """Draws a title in as many lines as a figure of this width needs.

    Matplotlib's own wrapping cuts a title that is longer than its axes.
    """
    draw(textwrap.fill(title, int(_LETTERS * width)), fontsize=10)


def _figure(width: float, height: float) -> Figure:
    """An empty figure of a size in units of 100 pixels."""
    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def _axes(title: str, x_label: str, y_label: str, size=(5, 3.5), grid: bool = True):
    figure = _figure(*size)
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    _set_title(axes.set_title, title, size[0])
    if grid:
        axes.grid(alpha=0.3)
    return figure, axes

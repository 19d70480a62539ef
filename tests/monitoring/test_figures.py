"""Figures draw what they are given."""

import numpy as np

from tf_mwn.monitoring import figures


def lines(figure):
    return [line.get_xydata() for line in figure.axes[0].get_lines()]


def test_weight_curve_draws_the_curve():
    losses = np.linspace(0, 4, 9)
    (drawn,) = lines(figures.weight_curve(losses, np.exp(-losses), "curve"))
    np.testing.assert_allclose(drawn, np.stack([losses, np.exp(-losses)], axis=1))


def test_histogram_counts_every_example_once():
    weights, wrong = np.array([0.1, 0.15, 0.9, 0.8, 0.7]), np.array([1, 1, 0, 0, 0], bool)
    figure = figures.weight_histogram(weights, wrong, "histogram")
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert sum(heights) == 5
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["correct label", "wrong label"]
    assert (
        sum(p.get_height() for p in figures.weight_histogram(weights, None, "").axes[0].patches)
        == 5
    )


def test_accuracy_curves_draw_each_seed_and_the_mean():
    figure = figures.accuracy_curves({"a": [[0.1, 0.3], [0.3, 0.5]]}, "accuracy")
    drawn = lines(figure)
    assert len(drawn) == 3
    np.testing.assert_allclose(drawn[2], [[1, 0.2], [2, 0.4]])


def test_trajectories_have_a_panel_each():
    figure = figures.trajectories({"t1": [0.8, 0.7], "t2": [1.2, 1.4]}, "learned")
    assert [axes.get_ylabel() for axes in figure.axes] == ["t1", "t2"]
    for axes, values in zip(figure.axes, ([0.8, 0.7], [1.2, 1.4]), strict=True):
        (line,) = axes.get_lines()
        np.testing.assert_allclose(line.get_xydata(), np.stack([[1, 2], values], axis=1))


def test_intervals_leave_out_what_is_not_finite():
    rows = [("a", [1.0, 3.0], (0.5, 2.0, 3.5), 0.0), ("b", [7.0], (-np.inf, 7.0, np.inf), 1.0)]
    panels = {"points": rows, "ratio": [("c", [], (np.nan, np.nan, np.nan), 1.0)]}
    figure = figures.intervals(panels, "claim")
    assert [axes.get_xlabel() for axes in figure.axes] == ["points", "ratio"]
    points, ratio = figure.axes
    assert [label.get_text() for label in points.get_yticklabels()] == ["a", "b"]
    drawn = [line.get_xdata().tolist() for line in points.get_lines()]
    assert drawn == [[0, 0], [1, 3], [0.5, 3.5], [2], [1, 1], [7], [7]]
    assert [line.get_xdata().tolist() for line in ratio.get_lines()] == [[1, 1], []]


def test_a_long_title_stays_within_the_figure():
    title = "meta_weight_net, mwn_table1_cifar10_longtail_100, seed 0, and more than a line of it"
    figure = figures.weight_curve(np.arange(3.0), np.ones(3), title)
    figure.canvas.draw()
    box = figure.axes[0].title.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


def test_png_is_a_png():
    image = figures.png(figures.weight_curve(np.arange(3.0), np.ones(3), "flat"))
    assert image.startswith(b"\x89PNG")


def test_contact_sheet_shows_each_image_with_its_caption():
    images = np.random.default_rng(0).integers(0, 16, (3, 4, 4, 1), dtype=np.uint8)
    figure = figures.contact_sheet(images, ["a", "b", "c"], "sheet", columns=2)
    shown = [axes for axes in figure.axes if axes.get_images()]
    assert [axes.get_title() for axes in shown] == ["a", "b", "c"]
    drawn = np.stack([axes.get_images()[0].get_array() for axes in shown])
    # One scale for the sheet: 8x8 digits go to 16 only.
    low, high = images.min(), images.max()
    np.testing.assert_allclose(drawn, (images[..., 0] - float(low)) / (high - low))


def test_contact_sheet_leaves_coloured_bytes_alone():
    images = np.full((1, 4, 4, 3), 7, np.uint8)
    (axes,) = [a for a in figures.contact_sheet(images, ["x"], "").axes if a.get_images()]
    np.testing.assert_array_equal(axes.get_images()[0].get_array(), images[0])


def test_confusion_is_drawn_in_parts_of_each_class():
    figure = figures.confusion(np.array([[3, 1], [0, 0]]), ["cat", "dog"], "")
    drawn = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_allclose(drawn, [[0.75, 0.25], [0, 0]])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25"]

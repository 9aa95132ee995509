"""Figures: a value with alternative text, drawn the same way whatever the user's own settings are."""

import base64
import itertools
import subprocess
import sys

import matplotlib
import pytest

from numba_course.lens import figures

PNG = b"\x89PNG\r\n\x1a\n"


def line(ax):
    ax.plot([0, 1], [0, 1], **figures.look(0))


def test_a_figure_is_shown_as_an_image_and_its_words_below(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append((data, options)))
    figure = figures.show(line, "A <rising> line.")
    figure._ipython_display_()
    (image, options), (words, _) = shown
    assert figure.png.startswith(PNG) and base64.b64decode(image["image/png"]) == figure.png
    assert image["text/plain"] == repr(figure) == "Figure: A <rising> line."
    assert options == {"raw": True, "metadata": {"image/png": {"alt": "A <rising> line."}}}
    assert "text/html" not in image  # it would be shown in place of the image
    assert words == {"text/html": "<div>A &lt;rising&gt; line.</div>", "text/plain": "A <rising> line."}


def test_width_and_height_are_in_inches():
    width, height = png_size(figures.show(line, "A rising line.", size=(3, 2)))
    assert (width, height) == (300, 200)


def test_settings_of_the_user_are_neither_used_nor_changed():
    plain = figures.show(line, "A rising line.")
    with matplotlib.rc_context({"axes.facecolor": "black", "lines.linewidth": 9}):
        assert figures.show(line, "A rising line.").png == plain.png
        assert matplotlib.rcParams["axes.facecolor"] == "black"


def test_the_font_is_large_enough_to_read():
    sizes = []
    figures.show(lambda ax: sizes.extend(label.get_fontsize() for label in ax.get_xticklabels()), "Sizes.")
    assert sizes and min(sizes) >= 9


def test_curves_differ_in_more_than_colour():
    looks = [figures.look(i) for i in range(6)]
    assert len({look["marker"] for look in looks}) == len({str(look["linestyle"]) for look in looks}) == 6
    assert figures.look(6) == looks[0]


def test_labels_at_the_ends_of_curves_are_kept_apart():
    heights = []

    def draw(ax):
        for name, end in [("low", 1.0), ("close", 1.001), ("closer", 1.0005), ("high", 9.0)]:
            ax.plot([1, 2], [1.0, end], label=name)
        figures.label_ends(ax)
        ax.figure.draw_without_rendering()
        heights.extend((text.get_text(), text.get_window_extent()) for text in ax.texts)

    figures.show(draw, "Four curves, three of them together.")
    assert [name for name, _ in heights] == ["low", "closer", "close", "high"]
    assert all(lower.y1 <= upper.y0 for (_, lower), (_, upper) in itertools.pairwise(heights))


def test_a_figure_needs_alternative_text():
    with pytest.raises(ValueError, match="alt must say what the figure shows"):
        figures.show(line, "  ")


def test_importing_draws_nothing_and_does_not_load_matplotlib():
    code = "import sys, numba_course.lens.figures as f; assert 'matplotlib' not in sys.modules, 'loaded'"
    subprocess.run([sys.executable, "-c", code], check=True)


def png_size(figure):
    return tuple(int.from_bytes(figure.png[i : i + 4], "big") for i in (16, 20))

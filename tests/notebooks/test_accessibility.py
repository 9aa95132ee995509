"""What can be tested of it: headings in order, tables and images with words, contrast, nothing by colour alone.

The same rules hold for the notebooks, the cards in them, the slides, and the pages for instructors.
"""

import itertools
import re

import bs4
import nbformat
import pytest
from markdown_it import MarkdownIt

from numba_course.authoring import build
from numba_course.exercises.examination.statuses import STATUSES
from numba_course.lens import figures, html
from numba_course.teaching import agenda, classroom, lesson, pages, slides

NOTEBOOKS = build.stored_notebooks()
TEXT = 4.5  # least contrast (WCAG 2.2, 1.4.3)
LINE = 3  # least contrast of a line, a frame or a curve (1.4.11)
BACKS = {"light": "#ffffff", "dark": "#111111"}  # of JupyterLab's two themes


def levels_in_order(levels):
    """Whether headings begin with one of the first level and never skip one."""
    return levels[:1] == [1] and all(after <= before + 1 for before, after in itertools.pairwise(levels))


def contrast(one, other):
    """The ratio of the luminances of two colours such as #1f6fb2."""

    def luminance(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def faults(page):
    """What a page lacks for a reader who hears it."""
    soup = bs4.BeautifulSoup(page, "html.parser")
    if soup.html and not soup.html.get("lang"):
        yield "the page does not say its language"
    if soup.html and not (soup.title and soup.title.get_text(strip=True)):
        yield "the page has no title"
    for image in soup.find_all("img"):  # nbconvert gives those without a text one that says so
        if not image.get("alt", "").strip() or image["alt"].startswith(("None", "No description")):
            yield f"an image without alternative text: {str(image)[:60]}"
    for table in soup.find_all("table"):
        heads = table.find_all("th")
        if heads and not all(head.get("scope") for head in heads):
            yield f"a header without a scope: {heads[0]}"
    for link in soup.find_all("a", href=True):
        if not link.get_text(strip=True):
            yield f"a link without a text: {link}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_headings_and_outputs_of_a_notebook(path):
    notebook = nbformat.read(path, as_version=4)
    levels = [
        int(token.tag[1])
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for token in MarkdownIt("commonmark").parse(cell.source)
        if token.type == "heading_open"
    ]
    assert levels_in_order(levels), levels
    assert levels.count(1) == 1
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert list(faults(output.get("data", {}).get("text/html", ""))) == []


def test_slides():
    page = slides.deck(lesson.find("05"))
    assert "<img" in page and "<table" in page
    assert [fault for fault in faults(page) if "scope" not in fault] == []  # of Markdown's own tables
    sections = [
        s for s in bs4.BeautifulSoup(page, "html.parser").find_all("section") if not s.find("section")
    ]
    assert sections and all(section.find(["h1", "h2", "h3"]) for section in sections)


def page_texts(tmp_path):
    """The pages for instructors by name."""
    (tmp_path / "a.jsonl").write_text('{"exercise": "double", "status": "wrong"}\n' * 3, encoding="utf-8")
    return {
        "agenda": agenda.as_html(agenda.plan(agenda.chapters(), 16, 540)),
        "class": classroom.page_of(tmp_path),
    }


def test_pages_for_instructors(tmp_path):
    for name, page in page_texts(tmp_path).items():
        assert list(faults(page)) == [], name
        found = bs4.BeautifulSoup(page, "html.parser").find_all(re.compile("^h[1-6]$"))
        assert levels_in_order([int(heading.name[1]) for heading in found]), name
        assert "<script" not in page


def test_colours_of_the_pages_have_contrast():
    text = (pages.TEMPLATES / "page.html.j2").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--(\w+): (#\w{6})", line)) for line in text.splitlines() if "--text: #" in line
    ]
    themes = [theme for theme in themes if len(theme) == 4]
    assert len(themes) == 2
    for theme in themes:
        assert min(contrast(theme["text"], theme[back]) for back in ("back", "soft")) >= TEXT
        assert contrast(theme["line"], theme["back"]) >= LINE


@pytest.mark.parametrize(("theme", "back"), [("light", "#f3f4f6"), ("dark", "#0d1117")])
def test_colours_of_code_on_slides_have_contrast(theme, back):
    style = slides.HtmlFormatter(style=slides.STYLES[theme]).style
    template = (pages.TEMPLATES / "deck" / "index.html.j2").read_text(encoding="utf-8")
    assert f"--soft: {back}" in template
    weak = {str(t): s["color"] for t, s in style if s["color"] and contrast("#" + s["color"], back) < TEXT}
    assert {
        name for name in weak if "Error" not in name and "Generic" not in name and "Whitespace" not in name
    } == set()


def styles(shown):
    """The style of each element of a card that has one: from property to value."""
    for element in bs4.BeautifulSoup(shown, "html.parser").find_all(style=True):
        yield dict(part.split(":", 1) for part in element["style"].split(";"))


@pytest.mark.parametrize("tone", html.TONES)
@pytest.mark.parametrize("theme", BACKS)
def test_colours_of_cards_have_contrast(tone, theme):
    found = list(styles(html.card("title", tone, html.mark(tone, "text") + html.table(("a",), [("b",)]))))
    backs = {style.get("background-color", BACKS[theme]) for style in found}
    texts = [(s["color"], s.get("background-color", BACKS[theme])) for s in found if "color" in s]
    lines = [
        value.split()[-1] for s in found for key, value in s.items() if re.match("border(-bottom)?$", key)
    ]
    assert (
        len(texts) == (2 if html.TONES[tone][0] else 0) and len(lines) == 3
    )  # the card, and two of the table
    assert min([contrast(*pair) for pair in texts], default=TEXT) >= TEXT
    assert min(contrast(line, BACKS[theme]) for line in [*lines, *backs - {BACKS[theme]}]) >= LINE


def test_colours_of_figures_have_contrast():
    assert figures.STYLE["figure.facecolor"] == "white"
    assert min(contrast(colour, "#ffffff") for colour in figures.COLOURS) >= TEXT  # labels have them, too


def test_no_status_is_told_by_colour_alone():
    words = [(icon, word) for icon, word, _ in STATUSES.values()]
    assert all(icon and word for icon, word in words)
    assert len({word for _, word in words}) == len(words)
    for tone, (icon, _) in html.TONES.items():
        assert "seen" in html.mark(tone, "seen") and icon in html.mark(tone, "seen")


# The rules themselves


@pytest.mark.parametrize("levels", [[], [2], [1, 3], [1, 2, 4]])
def test_headings_out_of_order_are_found(levels):
    assert not levels_in_order(levels)


@pytest.mark.parametrize(
    "page",
    [
        "<html><title>x</title></html>",
        '<html lang="en"></html>',
        '<img src="data:,">',
        '<img src="data:," alt=" ">',
        '<img src="data:," alt="None">',
        '<img src="data:," alt="No description has been provided for this image">',
        "<table><tr><th>a</th></tr></table>",
        '<a href="x"></a>',
    ],
)
def test_each_fault_is_found(page):
    assert list(faults(page)) != []


def test_contrast_is_that_of_the_standard():
    assert round(contrast("#000000", "#ffffff"), 1) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48

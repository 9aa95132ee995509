"""The slides: the chapter's text in its order, in one file, shown by a browser without a network."""

import re
import shutil

import nbformat
import pytest
from playwright.sync_api import sync_playwright

from numba_course.launch import cli
from numba_course.teaching import lesson, slides

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def toy(*pieces, tags=()):
    """A chapter of these pieces, under one heading."""
    found = [lesson.Piece(kind, source, "One", list(tags), outputs) for kind, source, *outputs in pieces]
    return lesson.Lesson("70_toy", "A <toy>", 3, 2, (lesson.Piece("heading", "## One", "One"), *found))


def kinds(chapter):
    """The kind of slide and the beginning of each cell of a deck."""
    return [
        (cell.metadata.slideshow.slide_type, cell.source[:12] or "".join(o.text for o in cell.outputs))
        for cell in slides.cells(chapter)
    ]


def stream(text):
    return nbformat.v4.new_output("stream", text=text)


def test_output_follows_its_code_at_a_key_press():
    assert kinds(toy(("code", "print(2)", stream("2\n")))) == [
        ("slide", "## One"),
        ("-", "print(2)"),
        ("fragment", "2\n"),
    ]


def test_a_prediction_is_asked_without_a_key_press():
    asked = ("code", "predict.speedup(...)", stream("speedup: no prediction yet"))
    assert kinds(toy(asked, tags=["prediction"])) == [
        ("slide", "## One"),
        ("-", "speedup: no prediction yet"),
    ]


def test_notes_are_with_the_first_slide_of_their_heading():
    assert kinds(toy(("text", "a"), ("note", "Ask."))) == [("slide", "## One"), ("notes", "Ask."), ("-", "a")]


def test_what_is_too_long_goes_on_under_the_same_heading():
    long = "x = 1\n" * 12
    found = kinds(toy(("code", long), ("code", long), ("text", "word " * 20)))
    assert [kind for kind, _ in found] == ["slide", "-", "subslide", "-", "-"]
    assert found[2] == ("subslide", "## One")


@pytest.mark.parametrize(
    "source", ["exercises.double.check(double)", "import numba\n# a comment", "# x.hint()"]
)
def test_imports_checks_and_offers_of_hints_are_left_out(source):
    assert kinds(toy(("code", source, stream("2\n")))) == [("slide", "## One")]


def test_deck_shows_every_block_of_the_text_and_keeps_code_exact():
    chapter = lesson.find("07")
    shown = "\n".join(cell.source for cell in slides.cells(chapter))
    assert all(piece.source in shown for piece in chapter.pieces if piece.kind in ("heading", "text", "note"))
    stubs = [piece.source for piece in chapter.pieces if "exercise" in piece.tags]
    assert stubs and all(stub in shown for stub in stubs)


def test_deck_is_one_file_without_addresses_to_load_from():
    page = slides.deck(toy(("text", "[a link](https://example.org)"), ("code", "'</script>'")))
    assert re.findall(r"""(?:src|href)=["']?(?!data:)(\w+:[^"'> ]*)""", page) == ["https://example.org"]
    styles = "".join(re.findall(r"<style.*?</style>", page, re.DOTALL))
    assert len(styles) > 50_000
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:)[\w./]", styles)
    assert page.count("</script>") == 3  # none of those in texts
    assert "<title>70 A &lt;toy&gt;</title>" in page
    assert "Copyright (C) 2011-20" in page  # reveal.js is shared under the MIT licence


def test_command_writes_the_deck(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["slides", "00"]) == 0
    assert "<title>00 " in (tmp_path / "00_start_here.slides.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def context():
    """A browser without a network, or a reason to skip."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True)
        chromium.close()


HIGHEST = """() => Math.max(...Reveal.getSlides().map(slide => {
  const place = Reveal.getIndices(slide);
  Reveal.slide(place.h, place.v, 99);
  return slide.scrollHeight;
}))"""


@pytest.mark.load
def test_deck_runs_without_a_network_fits_and_has_a_speaker_s_view(context, tmp_path):
    file = tmp_path / "07.html"
    file.write_text(slides.deck(lesson.find("07")), encoding="utf-8")
    page, asked, complaints = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function("() => window.Reveal && Reveal.isReady()")
    assert page.evaluate(HIGHEST) <= 720

    page.evaluate("Reveal.slide(1, 1, -1)")  # the first output
    output = page.locator("section.present section.present .fragment").first
    assert "visible" not in output.get_attribute("class").split()  # and so transparent
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => document.querySelector('section.present section.present .fragment.visible')"
    )

    page.evaluate("Reveal.slide(0)")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    opened.value.locator(".speaker-controls-notes", has_text="Goes wrong").wait_for()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []

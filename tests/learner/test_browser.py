"""The course as a learner meets it: ``start`` for real, JupyterLab's server, and its page in a browser."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from numba_course.exercises import records
from numba_course.host import ROOT, Trouble
from numba_course.learner import answers, jupyter_servers, merge, notebook_files, start

FIRST = f"{start.FIRST}.ipynb"
NAMES = "chromium", "chromium-browser", "google-chrome"
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), NAMES[0])
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = ".jp-StatusBar-TextItem:has-text('| Idle')"  # the kernel's name before it
CARD = ".jp-OutputArea-output div[style*='border']"
DOUBLE = "from numba import njit\n\n@njit\ndef double(values):\n    return {} * values"
UNSAFE = {
    "output_type": "display_data",
    "metadata": {},
    "data": {"text/html": "<div class='unsafe' style='color: var(--jp-error-color1)'>unsafe</div>"},
}
PATIENCE = 300  # seconds, for what comes within a few where the machine is not busy
expect.set_options(timeout=1000 * PATIENCE)  # milliseconds, as Playwright counts
pytestmark = pytest.mark.load


class Lab:
    """A JupyterLab that ``python -m numba_course start`` has become."""

    def __init__(self, home):
        self.home, self.folder, self.process = home, home / "Übung 1", None
        kernel = home / "of the user" / "kernels" / "python3"  # once installed, and since then broken
        kernel.mkdir(parents=True)
        broken = {"argv": ["no-such-python"], "display_name": "broken", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(broken), encoding="utf-8")

    def begin(self):
        """Start it."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        own = {
            "HOME": self.home,
            "USERPROFILE": self.home,
            "IPYTHONDIR": self.home / "ipython",
            "JUPYTER_CONFIG_DIR": self.home / "config",
            "JUPYTER_DATA_DIR": self.home / "data",
            "JUPYTER_PATH": self.home / "of the user",
            "JUPYTER_RUNTIME_DIR": self.home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.home / "workspaces",
        }
        with open(self.home / "lab.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "numba_course", "start", str(self.folder), "--no-browser"],
                cwd=ROOT,
                env=kept | {name: str(value) for name, value in own.items()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def answer(self):
        """What the server says about itself once it answers: its address, port and token."""
        for _ in range(10 * PATIENCE):
            assert self.process.poll() is None, (self.home / "lab.log").read_text(encoding="utf-8")
            for file in (self.home / "runtime").glob("jpserver-*.json"):
                try:
                    server = json.loads(file.read_text(encoding="utf-8"))
                    self.get(server, "api/status")
                    return server
                except (OSError, ValueError):
                    pass  # not yet
            time.sleep(0.1)
        raise TimeoutError((self.home / "lab.log").read_text(encoding="utf-8"))

    def get(self, server, path):
        """The answer of the server's API, as data."""
        with urllib.request.urlopen(
            f"{server['url']}{path}?token={server['token']}", timeout=PATIENCE
        ) as answer:
            return json.load(answer)

    def end(self):
        """Stop it, and the kernels with it."""
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def labs(tmp_path_factory):
    """Two JupyterLabs, started at once in homes of their own."""
    made = [Lab(tmp_path_factory.mktemp(name)) for name in ("Zoë Ōta", "second home")]
    made[1].folder.mkdir()
    (made[1].folder / records.FILE).write_text('{"exercise": "parallel_max", "hint": 1}\n', encoding="utf-8")
    for each in made:
        each.begin()
    yield made
    for each in made:
        each.end()


def test_two_starts_at_once_listen_at_two_ports_of_this_machine(labs):
    servers = [each.answer() for each in labs]
    assert servers[0]["port"] != servers[1]["port"]
    for each, server in zip(labs, servers, strict=True):
        assert urllib.parse.urlsplit(server["url"]).hostname == "127.0.0.1"
        assert Path(server["root_dir"]) == each.folder
        assert (each.folder / FIRST).exists()
        kernel = each.get(server, "api/kernelspecs")["kernelspecs"]["python3"]["spec"]
        assert kernel["argv"][:3] == ["python", "-m", "ipykernel_launcher"]  # the server's own python


@pytest.fixture(scope="module")
def chromium():
    """Chromium, in which pages share what they have fetched; or a reason to skip."""
    if not Path(CHROMIUM).exists():
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started.new_context(viewport={"width": 1280, "height": 1000})
        started.close()


@pytest.fixture
def browser(chromium):
    """Chromium without pages of other tests."""
    yield chromium
    for page in chromium.pages:
        page.close()


class Page:
    """A notebook in the browser: its cells are found by what is in them."""

    def __init__(self, browser, server):
        self.server, self.complaints, self.hosts = server, [], set()
        self.page = browser.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urllib.parse.urlsplit(request.url).hostname))

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def open(self, path=""):
        """Open an address of the server and wait until its notebook has a kernel."""
        self.page.goto(f"{self.server['url']}{path}?token={self.server['token']}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_selector(IDLE)

    def menu(self, menu, *items):
        """Choose an item of a menu, or of a menu in it."""
        self.page.locator(f".lm-MenuBar-itemLabel:text-is('{menu}')").click()
        for item in items:
            self.page.locator(f".lm-Menu-itemLabel:text-is('{item}')").click()

    def wait_until_run(self):
        """Wait until no cell waits for its turn."""
        waits = "document.querySelector('.jp-Notebook').textContent.includes('[*]')"
        self.page.wait_for_function(
            f"() => !{waits}", polling=100
        )  # or it would be looked through at each frame
        self.page.wait_for_selector(IDLE)

    def cell(self, pattern):
        """The code cell whose source matches."""
        cell = self.page.locator(".jp-CodeCell").filter(
            has=self.page.locator(".jp-InputArea-editor", has_text=re.compile(pattern))
        )
        cell.scroll_into_view_if_needed()
        return cell

    def run(self, cell, source=None):
        """Type `source` over what is in a cell, if given, and run it."""
        cell.locator(".cm-content").click()
        if source:
            self.page.keyboard.press("Control+A")
            cell.locator(".cm-content").fill(source)
        self.page.keyboard.press("Control+Enter")
        self.wait_until_run()


def border(card):
    """Width and colour of a card's left border, as the browser draws it."""
    style = card.evaluate("card => ({...getComputedStyle(card)})")
    return style["borderLeftWidth"], style["borderLeftColor"]


def test_learner_runs_the_first_chapter_and_answers_its_exercise(labs, browser, tmp_path):
    mine = labs[0]
    notebook = Page(browser, mine.answer())
    notebook.open()
    page = notebook.page
    assert urllib.parse.urlsplit(page.url).path == f"/lab/tree/{FIRST}"
    assert page.locator(".jp-OutputArea-output").count() == 0
    assert page.locator(".cm-lineNumbers").count() > 0

    notebook.menu("Run", "Run All Cells")
    notebook.wait_until_run()
    check = notebook.cell(r"double\.check\(double\)")
    card = check.locator(CARD).first
    expect(card).to_contain_text("not attempted")

    exercise = notebook.cell(r"def double\(")
    notebook.run(exercise, DOUBLE.format(3))
    notebook.run(check)
    expect(card).to_contain_text("double: wrong")
    assert border(card) == ("5px", "rgb(194, 59, 80)")
    page.screenshot(path=tmp_path / "light.png")

    notebook.run(exercise, DOUBLE.format(2))
    notebook.run(check)
    expect(card).to_contain_text("double: correct")
    assert border(card) == ("5px", "rgb(36, 128, 63)")
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    page.wait_for_selector("body[data-jp-theme-name='JupyterLab Dark']", state="attached")
    card.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "dark.png")

    assert records.standings(records.read(mine.folder))["double"].status == "correct"
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert notebook.complaints == []
    assert notebook.hosts <= {"127.0.0.1", None}


def test_cards_of_a_notebook_that_is_not_trusted_keep_their_style(labs, browser):
    mine = labs[1]
    notebook = Page(browser, mine.answer())
    fresh = notebook_files.read_notebook(notebook_files.course_folder() / FIRST)
    check = next(cell for cell in fresh["cells"] if "double.check(double)" in "".join(cell["source"]))
    check["outputs"].append(UNSAFE)
    (mine.folder / "fresh.ipynb").write_text(json.dumps(fresh), encoding="utf-8")
    notebook.open("lab/tree/fresh.ipynb")
    cell = notebook.cell(r"double\.check\(double\)")
    assert cell.locator(".unsafe").get_attribute("style") is None  # JupyterLab does clean this notebook
    card = cell.locator(CARD).first
    expect(card).to_contain_text("not attempted")
    assert border(card) == ("5px", "rgb(45, 112, 179)")
    icon = card.locator("span").first.evaluate("icon => ({...getComputedStyle(icon)})")
    assert (icon["color"], icon["backgroundColor"]) == ("rgb(255, 255, 255)", "rgb(45, 112, 179)")


def test_notebook_that_is_open_is_not_touched_until_it_is_closed_and_saved(labs, browser, monkeypatch):
    mine, name = labs[0], "sum_of_squares"
    notebook = Page(browser, mine.answer())
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(mine.home / "runtime"))
    chapters = notebook_files.chapters()
    stem = next(stem for stem, each in chapters.items() if name in notebook_files.exercises(each))
    path = mine.folder / f"{stem}.ipynb"
    before = path.read_bytes()
    notebook.open(f"lab/tree/{path.name}")
    page = notebook.page
    notebook.cell(rf"def {name}\(").locator(".cm-content").fill(f"def {name}(n):\n    return 'not saved yet'")

    with pytest.raises(Trouble, match=rf"{path.name} is open in JupyterLab: close its tab there, saving it"):
        answers.reset(chapters, mine.folder, name)
    newer = chapters | {stem: {**chapters[stem], "cells": chapters[stem]["cells"][1:]}}
    copies = start.hand_out({stem: newer[stem]}, mine.folder, "9.9", jupyter_servers.opened())
    assert stem in copies.kept and f"{stem} is open in JupyterLab and stays as it is" in copies.remarks[0]
    assert path.read_bytes() == before

    notebook.menu("File", "Close Tab")
    page.locator(".jp-Dialog button:has-text('Save')").click()
    expect(page.locator(".lm-TabBar-tab", has_text=path.name)).to_have_count(0)
    for _ in range(10 * PATIENCE):
        if path.resolve() not in jupyter_servers.opened():
            break
        time.sleep(0.1)
    _, kept = answers.reset(chapters, mine.folder, name)
    assert "not saved yet" in kept.read_text(encoding="utf-8")
    assert "not saved yet" not in path.read_text(encoding="utf-8")


def test_start_shows_the_jupyterlab_that_runs_in_the_folder_already(labs, monkeypatch, capsys):
    server = labs[0].answer()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(labs[0].home / "runtime"))
    start.start(labs[0].folder, browser=False)
    address = urllib.parse.urlsplit(capsys.readouterr().out.split()[-1])
    assert (address.port, address.query) == (server["port"], f"token={server['token']}")
    assert urllib.request.urlopen(address.geturl(), timeout=PATIENCE).status == 200
    monkeypatch.setattr(start, "hand_over", lambda command, variables: print("another"))
    start.start(labs[1].folder, browser=False)
    assert capsys.readouterr().out.split()[-1] == "another"


def test_course_opens_where_one_left_off_with_contents_headings_that_fold_and_a_word_on_its_version(
    labs, browser
):
    mine = labs[1]
    path = mine.folder / "07_prange.ipynb"
    delivered = notebook_files.read_notebook(path)
    delivered["metadata"]["numba_course"]["version"] = "9.9"
    notebook_files.write_notebook(path, delivered)
    notebook = Page(browser, mine.answer())
    notebook.open()
    page = notebook.page
    assert urllib.parse.urlsplit(page.url).path == f"/lab/tree/{path.name}"

    page.keyboard.press("Control+Shift+K")
    contents = page.locator(".jp-TableOfContents-tree .jp-tocItem-content")
    expect(contents.first).to_contain_text("Share a loop among threads")
    expect(contents.filter(has_text="Exercise: parallel_max")).to_be_visible()

    fold = page.locator(".jp-MarkdownCell").filter(has_text="What becomes of the loop?").first
    fold.hover()
    fold.locator(".jp-collapseHeadingButton").first.click()
    expect(fold.locator(".jp-expandHeadingButton, .jp-showHiddenCellsButton").first).to_be_visible()
    visible = page.locator(".jp-Notebook .jp-Cell:visible")
    after = visible.nth(
        [text.strip() for text in visible.all_inner_texts()].index(fold.inner_text().strip()) + 1
    )
    expect(after).to_contain_text("Which results can the threads combine?")

    imports = notebook.cell(r"from concurrent\.futures import ThreadPoolExecutor")
    notebook.run(imports)
    expect(imports.locator(CARD).first).to_contain_text(
        "This notebook was made for version 9.9 of the course"
    )
    page.keyboard.press("Control+S")
    page.wait_for_selector(".jp-mod-current.lm-TabBar-tab:not(.jp-mod-dirty)", state="attached")
    saved = notebook_files.read_notebook(path)
    assert any(cell.get("outputs") for cell in saved["cells"])
    assert merge.delivered(saved) == [(cell["id"], merge.digest(cell)) for cell in saved["cells"]]
    assert notebook.complaints == []

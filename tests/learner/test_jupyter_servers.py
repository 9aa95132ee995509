"""What is known of a JupyterLab that runs; the real one, with a notebook open, is in test_browser."""

import http.server
import json
import threading

import pytest

from numba_course.learner import jupyter_servers

pytestmark = pytest.mark.load
SESSIONS = [{"path": "07_prange.ipynb"}, {"path": "Übung/a.ipynb"}]


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as Jupyter's API does, to those who have the token."""

    def do_GET(self):
        good = self.headers["Authorization"] == "token right" and self.path == "/base/api/sessions"
        body = json.dumps(SESSIONS if good else {"message": "Forbidden"}).encode()
        self.send_response(200 if good else 403)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def info(tmp_path, monkeypatch):
    """What a server writes about itself; one that answers is there."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    (tmp_path / "runtime").mkdir()
    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/base/"
        yield {"url": url, "root_dir": str(tmp_path / "Zoë"), "token": "right"}
        server.shutdown()


def told(tmp_path, number, text):
    (tmp_path / "runtime" / f"jpserver-{number}.json").write_text(text, encoding="utf-8")


def test_open_notebooks_and_the_address_are_those_of_the_server(info, tmp_path):
    folder = tmp_path / "Zoë"
    told(tmp_path, 1, json.dumps(info))
    assert jupyter_servers.opened() == {folder / "07_prange.ipynb", folder / "Übung" / "a.ipynb"}
    assert (
        jupyter_servers.address(folder, "07_prange") == f"{info['url']}lab/tree/07_prange.ipynb?token=right"
    )
    assert jupyter_servers.address(tmp_path, "07_prange") is None


@pytest.mark.parametrize(
    "change",
    [
        "",
        "[]",
        "{}",
        {"token": "wrong"},
        {"url": "http://127.0.0.1:1/"},
        {"url": "nonsense"},
        {"root_dir": None},
        {"token": "new\nline"},
    ],
)
def test_what_cannot_be_asked_is_left_out(info, tmp_path, change):
    told(tmp_path, 1, change if isinstance(change, str) else json.dumps(info | change))
    assert list(jupyter_servers.servers()) == []
    told(tmp_path, 2, json.dumps(info))
    assert len(list(jupyter_servers.servers())) == 1


def test_nothing_runs_where_jupyter_never_ran(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "none"))
    assert jupyter_servers.opened() == set()

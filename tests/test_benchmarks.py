"""The benchmarks' harness and command: no ratio without agreement, and what a ratio is made of."""

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest

from numba_course import kernels
from numba_course.authoring import bench
from numba_course.launch import cli

harness = bench.harness()
FIELDS = {"kernel", "case", "peer", "threads", "ratio", "low", "high"}


def case(peers, ours=lambda: np.arange(3), **settings):
    """A case of a kernel that does not exist."""
    return harness.Case("kernel", "label", ours, peers, **settings)


def only(results):
    """The single result there is."""
    (result,) = results
    return result


def test_every_kernel_is_held_against_its_peers_where_it_is_tested():
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name in harness.names() if f'agrees_with_every_peer("{name}")' not in tests] == []


def test_every_kernel_is_measured_by_its_name():
    assert set(kernels.__all__) <= set(harness.names())


def test_what_is_missing_is_named_with_the_command_that_brings_it_brackets_and_all(monkeypatch, capsys):
    monkeypatch.setattr(harness, "_has", lambda name: name != "pandas")
    monkeypatch.setattr(harness, "cases", lambda kernel, toy: iter([]))
    assert harness.run("memcpy", toy=True) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert 'left out: pandas (python -m pip install -c constraints.txt -e ".[peers]" brings them)' in shown


def test_command_writes_results_and_figure(tmp_path, capsys):
    files = tmp_path / "results.json", tmp_path / "figure.png", tmp_path / "table.md"
    options = [f"--{name}={file}" for name, file in zip(("json", "figure", "table"), files, strict=True)]
    assert cli.run(["bench", "histogram", "--toy", *options]) == 0
    results = json.loads(files[0].read_text(encoding="utf-8"))
    assert all(result.keys() >= FIELDS for result in results)
    assert all(0 < result["low"] <= result["ratio"] <= result["high"] for result in results)
    assert files[1].read_bytes().startswith(b"\x89PNG")
    shown, kept = capsys.readouterr().out, files[2].read_text(encoding="utf-8")
    for text in (shown, kept):
        assert all(result["peer"] in text and result["case"] in text for result in results)
    assert "threading layer" in shown


@pytest.mark.parametrize("option", ["--json", "--figure", "--table"])
def test_file_that_cannot_be_written_is_named_before_anything_is_measured(option, tmp_path, capsys):
    assert cli.run(["bench", option, str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert f"cannot write {tmp_path}" in said.err
    assert "ours/peer" not in said.out


def test_what_is_measured_again_replaces_its_section_and_no_other():
    found = [harness.Result("b", "case", "peer", 1, 0.5, 0.25, 0.75, 0.001)]
    first = harness._kept.with_section("", "b", found, ["numba", "no such package"])
    other = re.sub("compiled for .*", "compiled for another", first).split("## ")[1]
    text = harness._kept.with_section(
        first + "\n## " + other, "a", [replace(found[0], ratio=None, trouble="a | b")], []
    )
    text = harness._kept.with_section(text, "b", [replace(found[0], ratio=0.7)], [])
    sections = re.split("^## ", text, flags=re.MULTILINE)[1:]
    assert [section.split(",")[0] for section in sections] == ["a", "b", "b"]
    assert any(section.startswith("b, compiled for another\n") for section in sections)
    assert text.count("| case | 1 | peer | 0.50 | 0.25–0.75 | 1 |  |") == 1
    assert text.count("| case | 1 | peer | 0.70 | 0.25–0.75 | 1 |  |") == 1
    assert "| case | 1 | peer |  |  |  | a \\| b |" in text
    assert f"numba {numba.__version__}." in text
    assert harness._kept.with_section(text, "b", [replace(found[0], ratio=0.7)], []) == text


def test_only_the_cases_on_so_many_threads_are_measured(monkeypatch, tmp_path):
    both = [case({"peer": lambda: np.arange(3)}, threads=count) for count in (1, 2)]
    monkeypatch.setattr(harness, "cases", lambda kernel, toy: iter(both))
    for count in (1, 3):
        assert harness.run("kernel", toy=True, json_file=tmp_path / "json", threads=count) == 0
        measured = [result["threads"] for result in json.loads((tmp_path / "json").read_text())]
        assert measured == [1] * (count == 1)


# No ratio without agreement


def fails():
    """A peer that does not work."""
    raise RuntimeError("no licence")


SHARED = np.arange(3)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (lambda: np.array([0, 1, 3]), "1 of 3 differ, first at [2]: 2, not 3"),
        (lambda: np.arange(4), "ours has shape (3,), theirs (4,)"),
        (lambda: SHARED, "same memory"),
        (fails, "raised RuntimeError: no licence"),
    ],
)
def test_peer_that_disagrees_gets_no_ratio_and_the_others_do(theirs, said):
    peers = {"wrong": theirs, "right": lambda: np.arange(3)}
    wrong, right = harness.measure(case(peers, lambda: SHARED), toy=True)
    assert wrong.ratio is wrong.low is wrong.high is None
    assert said in wrong.trouble
    assert right.ratio is not None
    assert right.trouble == ""


def test_disagreement_is_shown_and_ends_with_1(monkeypatch, tmp_path, capsys):
    wrong = case({"peer": lambda: np.zeros(3)})
    monkeypatch.setattr(harness, "cases", lambda kernel, toy: iter([wrong]))
    assert harness.run("kernel", toy=True, json_file=tmp_path / "json") == 1
    assert only(json.loads((tmp_path / "json").read_text()))["ratio"] is None
    shown = capsys.readouterr().out
    assert "no ratio" in shown
    assert "2 of 3 differ" in shown


def test_ours_that_fails_gets_no_ratio():
    result = only(harness.measure(case({"peer": lambda: 1}, fails), toy=True))
    assert result.trouble == "ours raised RuntimeError: no licence"
    assert result.ratio is None


@pytest.mark.parametrize(
    ("agree", "ours", "theirs", "agrees"),
    [
        (harness.equal, [1.0, np.nan], [1.0, np.nan], True),
        (harness.equal, [1.0, np.nan], [np.nan, 1.0], False),
        (harness.equal, [1.0], [np.nextafter(1, 2)], False),
        (harness.equal, 3, 3, True),
        (harness.equal, 3, 4, False),
        (harness.close(1e-9), [1.0, np.nan, np.inf], [1 + 1e-12, np.nan, np.inf], True),
        (harness.close(1e-9), [1.0], [1 + 1e-6], False),
        (harness.close(1e-9), [1.0], [np.nan], False),
        (harness.close(0, atol=1), [1.0], [1.5], True),
    ],
)
def test_agreement(agree, ours, theirs, agrees):
    assert (agree(ours, theirs) == "") is agrees


# What a ratio is made of


@pytest.fixture
def clock(monkeypatch):
    """Replaces the clock: each candidate's seconds, and the share of them that it waited, are given by name."""

    def install(seconds, shares=None, limit=600.0):
        log, shares = [], shares or itertools.repeat(0.0)

        def sample(call, calls):
            log.append(call.__name__)
            return seconds[call.__name__], next(shares)

        monkeypatch.setattr(harness, "_sample", sample)
        monkeypatch.setattr(harness, "SECONDS", limit)
        return log

    return install


def ours():
    """Ours, by name."""
    return 1


def slow():
    """A peer, by name."""
    return 1


def quick():
    """Another peer, by name."""
    return 1


def test_ratio_is_our_time_over_the_peers(clock):
    log = clock({"ours": 3.0, "slow": 6.0, "quick": 1.5})
    slower, quicker = harness.measure(case({"slow": slow, "quick": quick}, ours))
    assert (slower.ratio, slower.low, slower.high) == (0.5, 0.5, 0.5)
    assert (quicker.ratio, quicker.seconds, quicker.noisy) == (2.0, 3.0, "")
    rounds = len(log) // 3 - 2  # two samples of each say how many calls make one
    for turn in range(rounds):
        round_ = log[6 + 3 * turn : 9 + 3 * turn]
        names = ["ours", "slow", "quick"]
        assert round_ == names[turn % 3 :] + names[: turn % 3]
    assert slower.rounds == harness.ROUNDS[1] == rounds


def test_disturbed_rounds_do_not_count(clock, monkeypatch):
    monkeypatch.setattr(harness, "TRIES", 1)
    shares = itertools.chain(
        [0.0] * 4, itertools.cycle([0.0, 0.0, 0.0, 0.5])
    )  # after the first four, every other round
    log = clock({"ours": 1.0, "slow": 2.0}, shares)
    result = only(harness.measure(case({"slow": slow}, ours)))
    assert result.rounds == harness.ROUNDS[1]
    assert len(log) - 4 >= 2 * (2 * harness.ROUNDS[1] - 1)


def test_disturbed_sample_is_taken_again(clock):
    log = clock(
        {"ours": 1.0, "slow": 2.0}, itertools.cycle([0.5, 0.0])
    )  # after the first four, ours is disturbed
    result = only(harness.measure(case({"slow": slow}, ours)))
    assert (result.rounds, result.noisy) == (harness.ROUNDS[1], "")
    assert len(log) - 4 == 4 * harness.ROUNDS[1]


def test_noise_is_named(clock):
    clock({"ours": 1.0, "slow": 2.0}, itertools.repeat(0.5), limit=0)
    result = only(harness.measure(case({"slow": slow}, ours)))
    assert result.rounds == harness.ROUNDS[0]
    assert "waited for a processor" in result.noisy


def test_what_is_said_of_several_peers_is_said_once(clock, monkeypatch, capsys):
    clock({"ours": 1.0, "slow": 2.0, "quick": 0.5}, itertools.repeat(0.5), limit=0)
    both = case({"slow": slow, "quick": quick, "wrong": lambda: 2}, ours)
    monkeypatch.setattr(harness, "cases", lambda kernel, toy: iter([both]))
    assert harness.run("kernel") == 1
    remarks = [line for line in capsys.readouterr().out.splitlines() if line.startswith("label, 1 thread, ")]
    assert [remark.split(":")[0] for remark in remarks] == [
        "label, 1 thread, slow, quick",
        "label, 1 thread, wrong",
    ]


def test_wide_spread_is_named(monkeypatch):
    times = {"": np.array([1.0, 2.0, 3.0]), "peer quick": np.ones(3)}
    result = harness._judged(case({}), "quick", times, "")
    assert (result.ratio, result.low) == (2.0, 1.2)
    assert "varies by a factor of 2.3" in result.noisy


def test_toy_sizes_have_no_limit_and_others_do(clock):
    both = case({"slow": slow}, ours, traffic=16, written=8)
    assert only(harness.measure(both, toy=True)).bandwidth is None
    clock({"ours": 1.0, "slow": 2.0, "<lambda>": 0.5})
    assert only(harness.measure(both)).bandwidth == 0.5


def test_bandwidth_is_that_of_the_limit_over_ours():
    times = {"": np.full(3, 4.0), "peer quick": np.ones(3), "limit": np.full(3, 2.0)}
    result = harness._judged(case({}, traffic=100), "quick", times, "")
    assert (result.bandwidth, result.limit) == (0.5, 50.0)


@pytest.mark.parametrize(("reads", "writes"), [(5, 3), (3, 5), (4, 4), (4, 0), (0, 4)])
@pytest.mark.parametrize("parts", [1, 2])
def test_limit_moves_every_byte(reads, writes, parts):
    source, destination = np.arange(1, reads + 1), np.full(writes, -1)
    total = (
        harness._move_parts(source, destination, parts) if parts > 1 else harness._move(source, destination)
    )
    assert np.all(destination != -1)
    assert total + destination[destination != 1].sum() >= source[min(reads, writes) :].sum()


def test_short_calls_are_repeated():
    calls = []
    harness._calls(lambda: calls.append(1))
    assert len(calls) > 1000


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_threads_are_set_for_the_case_and_restored():
    before = numba.get_num_threads()
    for count in (1, 2):
        seen = []
        each = case(
            {"peer": lambda: 1}, lambda to=seen: to.append(numba.get_num_threads()) or 1, threads=count
        )
        harness.measure(each, toy=True)
        assert set(seen) == {count}
    assert numba.get_num_threads() == before


def test_more_threads_than_there_are_is_no_ratio_and_no_error():
    result = only(harness.measure(case({"peer": lambda: 1}, threads=10_000)))
    assert (result.ratio, result.trouble) == (None, "")
    assert "not measured: needs 10000 threads" in result.noisy

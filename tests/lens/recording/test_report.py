"""The report: its table, its page, what fails, and one of several processes."""

import json

from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED, NOT_CONCERNED
from numba_course.lens.recording.looking import UNREACHED, Looked, Seen, from_data
from numba_course.lens.recording.report import Report, merged

WELL = {
    "race": Seen(NOT_CONCERNED, "serial"),
    "loops": Seen(HOLDS, "1 packed"),
    "allocations": Seen(HOLDS, "none"),
    "gil": Seen(BROKEN, "held"),
    "cache": Seen(NOT_CONCERNED, "–"),
}


def looked(name="kernels.f", calls=1, **seen):
    signature = "(array(float64, 2d, C), readonly, omitted(default=1.0))"
    return Looked(name, "kernels.py", 3, signature, calls, "test_f", 1, {**WELL, **seen}, ("<p>card</p>",))


def test_the_table_has_a_row_for_each_and_sentences_for_what_matters():
    race = Seen(BROKEN, "RACE", "race: both write a[0]\nrace: both write b[0]")
    unchecked = Seen(NOT_CHECKED, "not checked", "it raised")
    lines = Report((looked(), looked("kernels.g", race=race, allocations=unchecked)), ("one",)).lines()
    assert lines[0].split() == ["function", "calls", "types", "race", "loops", "allocations", "gil", "cache"]
    assert lines[1].startswith("kernels.f(float64[:, ::1]")
    assert lines[3:] == [
        "kernels.py:3: kernels.g: race: both write a[0]",
        "kernels.py:3: kernels.g: race: both write b[0]",
        "kernels.py:3: kernels.g: allocations not checked: it raised",
        "note: one",
    ]


def test_only_what_is_named_fails():
    report = Report((looked(race=Seen(BROKEN, "RACE", "race: a\nrace: b")),))
    assert report.failures([]) == report.failures(["cache", "scalar", "unchecked"]) == []
    (said,) = report.failures(["race", "cache"])
    assert said.endswith(": race: a")
    assert len(report.failures(["race", "gil"])) == 2


def test_what_two_processes_saw_is_one_row():
    unchecked = Seen(NOT_CHECKED, "not checked", "too large")
    one = Report((looked(calls=2, race=unchecked), looked("kernels.g")), ("n",))
    found = merged([one, Report((looked(calls=3),), ("n", "m"))])
    assert [(row.name, row.calls, row.seen["race"].short) for row in found.looked] == [
        ("kernels.f", 5, "serial"),
        ("kernels.g", 1, "serial"),
    ]
    assert found.notes == ("n", "m")


def test_it_travels_as_plain_data():
    row = looked()
    data = json.loads(json.dumps(row.as_data()))
    assert from_data(data) == row and from_data(data).key == row.key


def test_the_page_escapes_what_it_shows_and_has_no_script():
    page = Report((looked("<script>", race=Seen(BROKEN, "RACE", "race: <b>")),)).page("a & b")
    assert "<script" not in page and "<b>" not in page and "a &amp; b" in page and "<p>card</p>" in page
    assert "color-scheme: light dark" in page


def test_nothing_called_is_said():
    assert Report(()).lines() == ["no compiled function was seen to be called from Python"]
    assert "no compiled function was seen to be called" in Report(()).page("t")


def test_what_was_not_reached_is_named_on_one_line():
    unreached = Seen(NOT_CHECKED, "not checked", UNREACHED)
    rows = (looked(name, loops=unreached, allocations=unreached) for name in ("kernels.f", "kernels.g"))
    *_, last = lines = Report(tuple(rows)).lines()
    assert last == f"kernels.f, kernels.g: not looked at: {UNREACHED}" and len(lines) == 4

"""The report: its table, its page, what fails, and one of several processes."""

import json

from numba_course.lens.properties import BROKEN, HOLDS, NOT_CHECKED, NOT_CONCERNED
from numba_course.lens.recording.looking import UNREACHED, Looked, Seen, from_data
from numba_course.lens.recording.report import Report, merged, with_allowances

WELL = {
    "race": Seen(NOT_CONCERNED, "serial"),
    "loops": Seen(HOLDS, "1 packed"),
    "allocations": Seen(HOLDS, "none"),
    "gil": Seen(BROKEN, "held"),
    "cache": Seen(NOT_CONCERNED, "–"),
}


def looked(name="kernels.f", calls=1, more_calls=False, is_late=False, used=(), **seen):
    signature = "(array(float64, 2d, C), readonly, omitted(default=1.0))"
    facts = name, "kernels.py", 3, signature, calls, "test_f", 1, {**WELL, **seen}, ("<p>card</p>",)
    return Looked(*facts, more_calls, is_late, used)


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


def test_what_there_was_no_time_for_fails_whatever_is_asked_for():
    late = Seen(NOT_CHECKED, "not checked", "the time was over")
    rows = [looked(name, is_late=True, **dict.fromkeys(WELL, late)) for name in ("kernels.f", "kernels.g")]
    report = Report((*rows, looked("kernels.inner", calls=0, is_late=True, loops=late)))
    assert report.failures([]) == []
    assert report.failures(["race"]) == ["kernels.f, kernels.g: not looked at: the time was over"]
    assert report.failures(["unchecked"]) == report.failures(["race"])
    assert report.failures(["scalar"]) == [report.lines()[-1]]
    assert report.lines()[-1] == "kernels.f, kernels.g, kernels.inner: not looked at: the time was over"


def test_allowances_that_allow_nothing_in_any_call_are_told_and_fail_with_races():
    allowed = Seen(HOLDS, "allowed")
    report = Report((looked(race=allowed, used=("a",)), looked("kernels.g"), looked(calls=2, used=("7",))))
    found = with_allowances(report, {"f": ["a", 7, "b"], "kernels.g": ["c"], "h": ["d"]})
    assert found.failures(["race"]) == list(found.idle) and not found.failures(["cache"])
    assert [text.partition(". ")[0] for text in found.idle] == [
        "f needs no allowance: no conflict that was found is one of 'b'",
        "kernels.g needs no allowance: no conflict that was found is one of 'c'",
    ]
    assert found.lines()[-3:-1] == list(found.idle) and "names h, and no" in found.notes[-1]
    unknown = Report((looked(race=Seen(NOT_CHECKED, "not checked", "too large")),))
    assert with_allowances(unknown, {"f": ["a"]}).idle == ()


def test_calls_that_are_not_known_to_be_all_have_a_plus():
    first, second = (Report((looked(calls=2, more_calls=more),)) for more in (True, False))
    assert " 4+ " in merged([first, second]).lines()[1]


def test_what_was_not_reached_is_named_on_one_line():
    unreached = Seen(NOT_CHECKED, "not checked", UNREACHED)
    rows = (looked(name, loops=unreached, allocations=unreached) for name in ("kernels.f", "kernels.g"))
    *_, last = lines = Report(tuple(rows)).lines()
    assert last == f"kernels.f, kernels.g: not looked at: {UNREACHED}" and len(lines) == 4

"""What is asked before anything is installed: is a requirement met, what does an extra ask for, which name is near?"""

import sys
import tomllib

import pytest

from numba_course import host

PROJECT = tomllib.loads((host.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def install(folder, name, version, *requires):
    """Let a package be installed in a folder, as far as its metadata goes."""
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
    (place / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("requirement", "version", "met"),
    [
        ("some-thing>=2,<3", "1.9.3", False),
        ("some-thing>=2,<3", "2", True),
        ("some-thing>=2,<3", "2.0rc1", False),  # comes before 2
        ("some-thing>=2,<3", "2.1rc1", True),
        ("some-thing>=2,<3", "2.10.1", True),
        ("some-thing>=2,<3", "3.0", False),
        ("some-thing>=2,<3", None, False),
        ("some-thing", "0.1", True),
        ("some-thing", None, False),
        ("Some_Thing ~= 1.2", "1.9", True),
        ("some-thing~=1.2", "2.0", False),
        ("some-thing == 1.2.*", "1.2.7", True),
        ("some-thing==1.2", "1.3", False),
        ("some-thing != 1.5 , >= 1", "1.5", False),
        ("some-thing != 1.5 , >= 1", "1.6+local", True),
        ("some-thing[fast] >= 1 ; python_version >= '3'", "0.9", False),
        ("some-thing>=1; python_version < '3'", None, True),
        ("some-thing>=1; extra == 'fast'", None, True),
    ],
)
def test_requirement_is_compared_with_what_is_installed(tmp_path, requirement, version, met):
    if version:
        install(tmp_path, "some-thing", version)
    assert host.met(requirement, [str(tmp_path)]) is met


def test_every_requirement_of_the_course_can_be_compared():
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for lines in extras for line in lines)]
    assert [host.met(line, []) for line in lines] == [False] * len(lines)


def test_extra_is_what_the_metadata_ask_for_it_beyond_the_rest(tmp_path, monkeypatch):
    requires = [
        "one>=1",
        "two; python_version >= '3'",
        "three; python_version < '3'",
        "four>=4,<5; extra == 'course'",
        "five; python_version < '3' and extra == 'course'",
        "six; extra == 'teach'",
        "jupyterlab; extra == 'teach'",
    ]
    from packaging import requirements  # noqa: F401  # it is found no longer, once the path is another

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    install(tmp_path, "numba-course", "9", *requires)
    assert list(map(str, host.required())) == ["one>=1", "two"]
    assert list(map(str, host.required("course"))) == ["four<5,>=4"]
    install(tmp_path, "two", "1")
    install(tmp_path, "four", "3")
    assert list(map(str, host.lacking())) == ["one>=1"]
    assert list(map(str, host.lacking("course"))) == ["four<5,>=4"]
    assert host.absent("course") == []  # it is there, in a version that will not do
    assert host.absent("teach") == ["six"]


def test_without_metadata_nothing_is_required(monkeypatch, tmp_path):
    from packaging import requirements  # noqa: F401  # it is found no longer, once the path is another

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert host.required() == host.lacking("course") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stat", "there is no command stat; did you mean state or start?"),
        ("x", "there is no command x; there are start, state, build."),
    ],
)
def test_unknown_name_gets_the_nearest_or_all(name, said):
    assert host.no_such("command", name, ["start", "state", "build"]) == said


def test_missing_packages_are_said_with_their_extra():
    one, two = (host.brought_by("teach", "notes", names) for names in (["six"], ["six", "one"]))
    assert one == 'notes needs six: pip install "numba-course[teach]" brings it.'
    assert two == 'notes needs six, one: pip install "numba-course[teach]" brings them.'

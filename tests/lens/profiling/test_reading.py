"""ELF, DWARF and frame information: read as the tools of the system read them; what is strange is refused."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from numba import njit

from numba_course.lens.profiling import _dwarf, _elf, _image, _line_tables, _sampling, _unwinding

pytestmark = pytest.mark.skipif(bool(_sampling.refusal()), reason="reads machine code of x86-64 Linux")
with_binutils = pytest.mark.skipif(not shutil.which("readelf"), reason="needs readelf")


@pytest.fixture(scope="module")
def objects():
    """Object code of functions with loops, calls and exceptions."""

    @njit
    def function(a):
        out = np.zeros_like(a)
        for i in range(a.size):
            out[i] = np.sin(a[i]) / a[i]
        if out[0] > 2.0:
            raise ValueError("too large")
        return out

    with _line_tables.lines_kept() as compiled:
        function(np.ones(5))
    return compiled.objects


def _told(tmp_path, content, *options):
    """What readelf says of an object."""
    (tmp_path / "object.o").write_bytes(content)
    command = ["readelf", "-W", *options, str(tmp_path / "object.o")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@with_binutils
def test_lines_and_functions_are_those_of_readelf(objects, tmp_path):
    checked = 0
    for content in objects:
        if (found := _elf.read(content)) is None:
            continue
        lines = _dwarf.Lines(found.sections)
        text = _told(tmp_path, content, "--debug-dump=decodedline")
        rows = re.findall(r"^\S+\s+(\d+)\s+(0x[0-9a-f]+|0)\s", text, re.M)
        seen = {
            int(address, 16): int(line) for line, address in rows
        }  # of equal addresses the last one counts
        for address, line in seen.items():
            assert lines.frames(address)[0].line == line
            checked += 1
        text = _told(tmp_path, content, "-s")
        symbols = re.findall(r"^\s*\d+: ([0-9a-f]+)\s+(\d+) FUNC\s+(\w+)\s+\w+\s+\d+ (.+)$", text, re.M)
        expected = {
            (name, int(start, 16), int(size), kind == "GLOBAL") for start, size, kind, name in symbols
        }
        assert {tuple(function) for function in found.functions} == expected
    assert checked > 20  # what was compiled before is in no object of these


@with_binutils
def test_frame_information_is_that_of_readelf(objects, tmp_path):
    checked = 0
    for content in objects:
        if (found := _elf.read(content)) is None:
            continue
        unwinding = _unwinding.Unwinding(found)
        text = _told(tmp_path, content, "--debug-dump=frames-interp")
        text = "".join(entry for entry in text.split("\n\n") if " FDE " in entry)
        for address, register, distance in re.findall(r"^([0-9a-f]+) (r[sb]p)\+(\d+)", text, re.M):
            rule = unwinding.rule(int(address, 16))
            expected = _unwinding.STACK if register == "rsp" else _unwinding.FRAME
            assert (rule.register, rule.distance) == (expected, int(distance))
            checked += 1
    assert checked > 20


def test_what_is_no_such_object_is_refused():
    for content in (b"", b"MZ" + bytes(100), b"\x7fELF\x02\x01" + bytes(100)):
        with pytest.raises(ValueError, match="no object code of x86-64"):
            _elf.read(content)


def test_other_versions_are_refused(objects):
    found = max(filter(None, map(_elf.read, objects)), key=lambda found: len(found.code))
    info = bytearray(found.sections[".debug_info"])
    info[4] = 5
    with pytest.raises(ValueError, match="DWARF of version 5"):
        _dwarf.Lines({**found.sections, ".debug_info": bytes(info)})
    with pytest.raises(ValueError, match="cannot be read"):
        _dwarf.Lines({**found.sections, ".debug_line": b""})


@pytest.mark.parametrize(
    ("code", "is_call"),
    [
        (b"\xff\xd3", True),  # call rbx
        (b"\x41\xff\xd6", True),  # call r14
        (b"\xff\x50\x08", True),  # call [rax+8]
        (b"\xff\x15\x00\x00\x00\x00", True),  # call [rip+0]
        (b"\xff\x14\x24", True),  # call [rsp]
        (b"\xff\xe3", False),  # jmp rbx
        (b"\x89\xd3", False),
        (b"\xff\x50", False),
    ],
)
def test_calls_are_known_by_their_bytes(code, is_call):
    assert _image._is_indirect_call(code) == is_call


def test_targets_of_jumps_are_found():
    code = b"\x90\x74\x02\x90\x90\x0f\x84\xf5\xff\xff\xff\xeb\xf3"
    assert {5, 0}.issubset(_image._jump_targets(code))

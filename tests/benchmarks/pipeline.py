"""`Pipeline` against what it replaces: good kernels one after another, NumPy and OpenCV for each photograph.

And against a limit: a loop in C that only turns as many bytes into float32, in the order in which they lie.
"""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numba import njit

from benchmarks.harness import Case, close, installed
from numba_course import pipeline as p
from numba_course.pipeline import runtime

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SCALE = np.array([1 / (255 * deviation) for deviation in STD], np.float32)
SHIFT = np.array([-mean / deviation for mean, deviation in zip(MEAN, STD, strict=True)], np.float32)
COLOURS = 4
WIDEN = (
    "void widen(const unsigned char *in, float *out, long n) { for (long i = 0; i < n; i++) out[i] = in[i]; }"
)


def cases(toy):
    """Crop, flip and normalise; the same after four colour operations; the same after a resize."""
    count, size = (3, 24) if toy else (256, 224)
    photographs = np.random.default_rng(0).integers(0, 256, (count, size + 32, size + 32, 3), np.uint8)
    yield from case("crop, flip, normalise", photographs, size, [])
    yield from case(f"and {COLOURS} × brightness", photographs, size, [p.Brightness()] * COLOURS)
    if installed("cv2"):
        yield resized(photographs[:64], size)
        yield resized_crops(photographs[:64], size)


def case(label, photographs, size, colours):
    """Against both peers; and against the limit, whose result is another, so that it is compared with NumPy's."""
    moves = [p.RandomCrop(size, size), p.HorizontalFlip()]
    made = p.Pipeline([*moves, *colours, p.Normalize(MEAN, STD), p.ToLayout("CHW")], photographs.shape[1:])
    rows, out = np.arange(len(photographs)), made.allocate(len(photographs))
    plan = Plan(len(photographs), photographs.shape[1] - size + 1, len(colours))

    def ours():
        return made(photographs, rows=rows, out=out)

    label = f"{label}, {len(photographs)} × {size}²"
    peers = {
        "NumPy, photograph by photograph": by_numpy(photographs, size, plan),
        "the same kernels, one by one": by_kernels(photographs, size, plan),
    }
    yield Case(
        "pipeline", label, ours, peers, agrees=close(1e-4, 2e-4), traffic=5 * out.size, written=4 * out.size
    )
    widen = in_c(photographs.reshape(-1)[: out.size])
    if widen and not colours:
        expected = photographs.reshape(-1)[: out.size].astype(np.float32)
        agrees = close(0)
        yield Case(
            "pipeline",
            label,
            ours,
            {"C, bytes to float32 only": widen},
            agrees=lambda _, c: agrees(c, expected),
        )


class Plan:
    """The draws of the pipeline: where each photograph is cropped, whether it is mirrored, how bright it gets."""

    def __init__(self, count, room, colours, first=0):
        draw = np.empty((count, 3 + colours), np.float32)
        draw_all(first, draw)
        self.top, self.left = (draw[:, :2] * room).astype(np.int64).T
        self.mirrored = draw[:, 2] < 0.5
        self.factors = np.float32(0.8) + np.float32(0.4) * draw[:, 3:]


@njit
def draw_all(first, out):
    """What the pipeline draws: two numbers of stream `first`, and one of each stream after it."""
    for sample in range(out.shape[0]):
        key = runtime.sample_key(0, 0, sample)
        for k in range(out.shape[1]):
            stream, number = (first, k) if k < 2 else (first + k - 1, 0)
            out[sample, k] = runtime.uniform(runtime.op_key(key, stream), number)


def by_numpy(photographs, size, plan, prepare=lambda photograph: photograph):
    """One photograph at a time, so that it stays in the cache, and nothing allocated."""
    out = np.empty((len(photographs), 3, size, size), np.float32)
    scale, shift = SCALE[:, None, None], SHIFT[:, None, None]

    def call():
        for n, target in enumerate(out):
            top, left = plan.top[n], plan.left[n]
            cut = prepare(photographs[n])[top : top + size, left : left + size]
            cut = (cut[:, ::-1] if plan.mirrored[n] else cut).transpose(2, 0, 1)
            np.copyto(target, cut)
            for factor in plan.factors[n]:
                np.multiply(target, factor, out=target)
                np.clip(target, 0, 255, out=target)
            np.multiply(target, scale, out=target)
            np.add(target, shift, out=target)
        return out

    return call


@njit
def crop(photographs, top, left, mirrored, out):
    """Rows of bytes, moved and mirrored."""
    for n in range(out.shape[0]):
        for y in range(out.shape[1]):
            width = np.uintp(out.shape[2])
            row = photographs[n, top[n] + y, left[n] : left[n] + out.shape[2]].reshape(-1)
            target = out[n, y].reshape(-1)
            if mirrored[n]:
                for x in range(width):
                    to, of = np.uintp(3) * np.uintp(x), np.uintp(3) * (width - np.uintp(1) - np.uintp(x))
                    for c in range(np.uintp(3)):
                        target[to + c] = row[of + c]
            else:
                for x in range(target.size):
                    target[x] = row[x]


@njit
def brighten(values, factors):
    """In place, a photograph at a time."""
    for n in range(values.shape[0]):
        flat, factor = values[n].reshape(-1), factors[n]
        for k in range(flat.size):
            flat[k] = min(max(flat[k] * factor, np.float32(0)), np.float32(255))


@njit
def to_floats(photographs, out):
    """Bytes to float32."""
    source, target = photographs.reshape(-1), out.reshape(-1)
    for k in range(source.size):
        target[k] = source[k]


@njit
def normalize(photographs, scale, shift, out):
    """The constants are repeated for a whole row, so that this is a loop over neighbours."""
    for n in range(out.shape[0]):
        for y in range(out.shape[1]):
            row, target = photographs[n, y].reshape(-1), out[n, y].reshape(-1)
            for k in range(target.size):
                target[k] = np.float32(row[k]) * scale[k] + shift[k]


@njit
def to_planes(pixels, out):
    """Channels last to channels first."""
    for n in range(out.shape[0]):
        for y in range(out.shape[2]):
            row = pixels[n, y].reshape(-1)
            r, g, b = out[n, 0, y], out[n, 1, y], out[n, 2, y]
            for x in range(r.size):
                at = np.uintp(3) * np.uintp(x)
                r[x], g[x], b[x] = row[at], row[at + np.uintp(1)], row[at + np.uintp(2)]


def by_kernels(photographs, size, plan):
    """Each operation a compiled loop over the batch, into memory that is there already."""
    count = len(photographs)
    cut, floats = np.empty((count, size, size, 3), np.uint8), np.empty((count, size, size, 3), np.float32)
    normal, out = np.empty_like(floats), np.empty((count, 3, size, size), np.float32)
    scale, shift = np.tile(SCALE, size), np.tile(SHIFT, size)

    def call():
        crop(photographs, plan.top, plan.left, plan.mirrored, cut)
        source = cut
        if plan.factors.size:
            to_floats(cut, floats)
            source = floats
        for factors in plan.factors.T:
            brighten(floats, factors)
        normalize(source, scale, shift, normal)
        to_planes(normal, out)
        return out

    return call


def in_c(values):
    """A call that turns bytes into float32 in C; None where there is no gcc."""
    if not shutil.which("gcc"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "widen.so"
        options = ["-O3", "-march=native", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
        subprocess.run(["gcc", *options], input=WIDEN, text=True, check=True)
        function = ctypes.CDLL(str(library)).widen
    out = np.empty(values.size, np.float32)
    arguments = ctypes.c_void_p(values.ctypes.data), ctypes.c_void_p(out.ctypes.data), ctypes.c_long(out.size)

    def call():
        function(*arguments)
        return out

    return call


def resized(photographs, size):
    """A resize before the crop: against OpenCV for that, and NumPy for the rest of each photograph."""
    between = size + size // 14
    steps = [p.Resize(between, between), p.RandomCrop(size, size), p.HorizontalFlip(), p.Normalize(MEAN, STD)]
    made = p.Pipeline([*steps, p.ToLayout("CHW")], photographs.shape[1:])
    out, rows = made.allocate(len(photographs)), np.arange(len(photographs))
    cv2, small = installed("cv2"), np.empty((between, between, 3), np.uint8)
    plan = Plan(len(photographs), between - size + 1, 0, first=1)
    theirs = by_numpy(
        photographs, size, plan, lambda photograph: cv2.resize(photograph, small.shape[:2], small)
    )
    label = f"resize, crop, flip, normalise, {len(photographs)} × {size}²"
    agrees = close(0, 1.01 * SCALE.max())  # a level: OpenCV's bytes are not rounded to the nearest

    def ours():
        return made(photographs, rows=rows, out=out)

    return Case(
        "pipeline", label, ours, {"OpenCV and NumPy, photograph by photograph": theirs}, agrees=agrees
    )


def within_a_level(ours, theirs):
    """Bytes of OpenCV are not rounded to the nearest."""
    return close(0, 1)(ours.astype(np.float32), theirs.astype(np.float32))


def resized_crops(photographs, size):
    """Crops, each of another size, resized: against OpenCV, one after the other into memory that is there."""
    made = p.Pipeline([p.RandomResizedCrop(size, size)], photographs.shape[1:], dtype=np.uint8)
    out, rows, cv2 = made.allocate(len(photographs)), np.arange(len(photographs)), installed("cv2")
    whole = photographs.shape[1:], (0.08, 1.0), (3 / 4, 4 / 3)
    boxes, result = [box_of(*whole, sample) for sample in rows], np.empty_like(out)

    def ours():
        return made(photographs, rows=rows, out=out)

    def theirs():
        for photograph, (top, left, height, width), target in zip(photographs, boxes, result, strict=True):
            cv2.resize(photograph[top : top + height, left : left + width], (size, size), target)
        return result

    label = f"resized crops, {len(photographs)} × {size}²"
    return Case("pipeline", label, ours, {"OpenCV, crop by crop": theirs}, agrees=within_a_level)


def drawn(number, sample):
    """What the first operation draws for a sample, with seed 0 in epoch 0."""
    key = runtime.op_key(np.uint64(runtime.sample_key(0, 0, sample)), 0)
    return float(runtime.uniform(np.uint64(key), number))


def box_of(shape, scale, ratio, sample):
    """Top, left, height and width of a `RandomResizedCrop`, as its docstring says."""
    rows, columns = shape[:2]
    for attempt in range(10):
        area = (scale[0] + (scale[1] - scale[0]) * drawn(2 * attempt, sample)) * rows * columns
        wide = ratio[0] * (ratio[1] / ratio[0]) ** drawn(2 * attempt + 1, sample)
        height, width = round((area / wide) ** 0.5), round((area * wide) ** 0.5)
        if height <= rows and width <= columns:
            height, width = max(height, 2), max(width, 2)
            top, left = (
                int(drawn(20 + axis, sample) * (old - new + 1))
                for axis, (old, new) in enumerate(((rows, height), (columns, width)))
            )
            return top, left, height, width
    wide = min(max(columns / rows, ratio[0]), ratio[1])
    height, width = min(rows, round(columns / wide)), min(columns, round(rows * wide))
    return (rows - height + 1) // 2, (columns - width + 1) // 2, height, width

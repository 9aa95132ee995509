"""The bilinear resize: right to its specification, refused where it must be, and never outside its arrays."""

import importlib.util
import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import config
from numpy.testing import assert_allclose, assert_array_equal

from numba_course.kernels import resize, resize_avx2, vectors
from numba_course.kernels.resize import bilinear_resize, bilinear_resize_spec, passes_for, plain_passes_for
from tests.kernels.bounds import bounds_checked
from tests.kernels.guards import CRASHED, exit_code, guarded, needs_guards
from tests.peers import agrees_with_every_peer

FAST = not config.DISABLE_JIT and vectors.has_avx2()
CHOICES = [passes_for, plain_passes_for]
DTYPES = [np.uint8, np.float32, np.float64]
SIZES = [  # old, new: one pixel, the same, up, down a little, down a lot, wide enough for each kind of window
    ((1, 1), (3, 2)),
    ((5, 1), (2, 4)),
    ((1, 6), (1, 1)),
    ((7, 9), (7, 9)),
    ((2, 2), (9, 8)),
    ((6, 40), (11, 77)),
    ((9, 61), (6, 45)),
    ((9, 61), (6, 33)),
    ((8, 64), (3, 32)),
    ((30, 100), (4, 17)),
    ((30, 100), (4, 3)),
    ((5, 9), (3, 2)),
    ((3, 40), (2, 19)),  # far apart, and the last two pixels are neighbours
]


def image_of(shape, dtype, seed=0):
    """Random pixels, all of them positive."""
    pixels = np.random.default_rng(seed).random(shape) + 1e-3
    return (pixels * 255 if dtype == np.uint8 else pixels * 1000).astype(dtype)


def resized(choose, image, height, width, threads=1):
    """What the passes that `choose` names make of the image."""
    out = np.full((height, width, *image.shape[2:]), 77, image.dtype)
    resize.fill(choose, image, out, threads)
    return out


def check(out, image):
    """Compare with the specification, within what the docstring promises."""
    exact = bilinear_resize_spec(image, *out.shape[:2])
    if image.dtype == np.uint8:
        assert_allclose(out, exact, rtol=0, atol=0.52)
    else:
        assert_allclose(out, exact, rtol=1e-6 if image.dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("choose", CHOICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("old, new", SIZES)
def test_every_pass_is_right(choose, dtype, old, new):
    for channels in ((), (1,), (2,), (3,), (4,), (5,), (8,)):
        image = image_of((*old, *channels), dtype)
        check(resized(choose, image, *new), image)


def test_a_pixel_for_which_all_that_is_cut_off_adds_up():
    image = np.array([[242, 243], [201, 247]], np.uint8)
    check(bilinear_resize(image, 67, 67), image)  # 0.5104 off where 16 bits are computed with


@pytest.mark.skipif(not FAST, reason="needs a processor with AVX2, and the compiler")
def test_the_sizes_above_reach_every_pass():
    used = set()
    for old, new in SIZES:
        for dtype in DTYPES:
            for channels in (1, 2, 3, 4, 5):
                passes = passes_for((*old, channels), (*new, channels), np.dtype(dtype))
                used |= {passes.across, passes.down}
    own = [
        step
        for step in vars(resize_avx2).values()
        if getattr(step, "__name__", "").startswith(("across_q8", "across_f32", "down"))
    ]
    assert len(own) == 9
    assert used >= {*own, *resize_avx2.DOWN_Q8_FAR.values(), None, resize.across, resize.down}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_shape_strides_and_dtype(data):
    side = st.integers(1, 40)
    channels = data.draw(st.sampled_from([(), (1,), (3,), (4,), (7,)]))
    whole = image_of((data.draw(side), data.draw(side), *channels), data.draw(st.sampled_from(DTYPES)))
    steps = data.draw(st.tuples(*[st.sampled_from([1, -1, 2, -3])] * 2))
    image = whole[:: steps[0], :: steps[1]]
    if data.draw(st.booleans()):
        image = np.asfortranarray(image)
    before = image.copy()
    threads = (
        data.draw(st.sampled_from([1, 2, 5])) if image.dtype == np.float64 else 1
    )  # one to compile for threads
    out = bilinear_resize(image, data.draw(side), data.draw(side), threads=threads)
    assert out.dtype == image.dtype
    check(out, image)
    assert_array_equal(image, before)


@pytest.mark.parametrize("choose", CHOICES)
def test_uint8_is_seldom_not_the_nearest_integer(choose):
    image = image_of((120, 200, 3), np.uint8)
    for new in [(50, 77), (83, 141), (151, 260)]:
        exact = resized(choose, image.astype(np.float64), *new)
        assert np.mean(np.abs(resized(choose, image, *new) - exact) > 0.5) < 0.015


@pytest.mark.parametrize("choose", CHOICES)
def test_black_and_white_stay_so_and_the_same_size_changes_nothing(choose):
    for value in (0, 255):
        image = np.full((20, 50), value, np.uint8)
        assert (resized(choose, image, 33, 71) == value).all()
    for dtype in DTYPES:
        image = image_of((20, 50), dtype)
        assert_array_equal(resized(choose, image, 20, 50), image)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_do_not_overflow_or_cancel(dtype):
    large = np.array([[-1, 1]], dtype) * np.finfo(dtype).max
    assert_allclose(
        bilinear_resize(large, 1, 4), [[large[0, 0], large[0, 0] / 2, large[0, 1] / 2, large[0, 1]]]
    )
    steep = np.array([[1e8, 1.0]], dtype)
    assert bilinear_resize(steep, 1, 2)[0, 1] == 1


def test_coordinates_of_long_axes_are_exact():
    left, weights = resize.positions(10**6 + 1, 10**6)
    for i in (0, 1, 12_345, 999_998, 999_999):
        centre, scale = (2 * i + 1) * (10**6 + 1) - 10**6, 2 * 10**6
        assert (left[i], weights[i]) == (centre // scale, centre % scale / scale)


@pytest.mark.parametrize("choose", CHOICES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_may_be_made_in_parts_and_in_any_order(choose, dtype):
    """As threads make them, but the last ones first: what a part writes beside its rows would stay."""
    for old, new in [((37, 53), (71, 90)), ((37, 53), (11, 13)), *SIZES]:
        if 1 in old:
            continue  # the wrapper doubles such an axis
        image = image_of((*old, 3), dtype)
        across, down, columns, rows = choose(image.shape, (*new, 3), image.dtype)
        resize_rows, out = resize.kernels_of(across, down)[1], np.full((*new, 3), 77, dtype)
        for start in reversed(range(0, new[0], 3)):
            stop = min(start + 3, new[0])
            resize_rows(image.ravel(), old[1] * 3, columns, rows, out.ravel(), new[1] * 3, start, stop)
        assert_array_equal(out, resized(choose, image, *new))


@pytest.mark.parametrize("choose", CHOICES)
def test_threads_change_no_bit(choose):
    image = image_of((37, 53, 3), np.uint8)
    for new in [(71, 90), (11, 13)]:
        serial = resized(choose, image, *new)
        for threads in (2, 4, config.NUMBA_NUM_THREADS + 3, 1000):
            assert_array_equal(resized(choose, image, *new, threads), serial)


@pytest.mark.load
def test_python_threads_may_call_the_serial_kernel():
    images = [image_of((64, 65), np.uint8, seed) for seed in range(8)]
    alone = [bilinear_resize(image, 90, 91) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: bilinear_resize(image, 90, 91), images))
    assert_array_equal(together, alone)


def test_out_is_filled_and_returned():
    image = image_of((5, 6), np.float32)
    expected = bilinear_resize(image, 4, 7)
    for out in (
        np.empty((4, 7), np.float32),
        np.empty((7, 4), np.float32).T,
        np.empty((8, 14), np.float32)[::-2, ::2],
    ):
        assert bilinear_resize(image, 4, 7, out) is out
        assert_array_equal(out, expected)


def test_read_only_swapped_and_listed_images_are_taken():
    image = image_of((5, 6), np.float32)
    expected = bilinear_resize(image, 4, 7)
    fixed = image.copy()
    fixed.flags.writeable = False
    for other in (fixed, image.astype(image.dtype.newbyteorder()), np.asfortranarray(image)):
        assert_array_equal(bilinear_resize(other, 4, 7), expected)


@pytest.mark.skipif(not FAST, reason="needs a processor with AVX2, and the compiler")
def test_a_new_pair_of_a_height_and_a_width_that_came_before_needs_no_table(monkeypatch):
    made = []
    positions = resize.positions
    monkeypatch.setattr(resize, "positions", lambda *sizes: made.append(sizes) or positions(*sizes))
    image = image_of((446, 447), np.uint8)  # sizes of no other test
    for side in range(437, 446):
        bilinear_resize(image[:side, : side + 1], 11, 13)
    assert len(made) == 18
    for side in range(437, 446):
        bilinear_resize(image[:side, : 883 - side], 11, 13)
    assert len(made) == 18


def test_an_out_may_be_of_another_class(tmp_path):
    """A matrix has two axes however it is reshaped: a kernel that takes it for a row writes elsewhere."""
    image = image_of((6, 8), np.float32)
    expected = bilinear_resize(image, 4, 7)
    for out in (
        np.zeros((4, 7), np.float32).view(np.matrix),
        np.memmap(tmp_path / "out", "f4", "w+", shape=(4, 7)),
    ):
        assert bilinear_resize(image, 4, 7, out) is out
        assert_array_equal(np.asarray(out), expected)


IMAGE = np.ones((4, 5), np.float32)
FIXED = np.ones((4, 5), np.float32)
FIXED.flags.writeable = False


@pytest.mark.parametrize(
    "args, error, message",
    [
        ((IMAGE[0], 2, 2), ValueError, "image must have 2 or 3 axes"),
        ((IMAGE[None, None], 2, 2), ValueError, "image must have 2 or 3 axes"),
        ((1.0, 2, 2), ValueError, "image must have at least 1 axis|image must have 2 or 3 axes"),
        (([[1, 2], [3, 4]], 2, 2), TypeError, "image must be of dtype uint8, float32 or float64, not int64"),
        ((IMAGE.astype(complex), 2, 2), TypeError, "image must be of dtype"),
        ((np.ones((2, 2), object), 2, 2), TypeError, "image must be of dtype"),
        ((np.ma.array(IMAGE), 2, 2), TypeError, "masked"),
        ((IMAGE[:0], 2, 2), ValueError, "image must not be empty"),
        ((IMAGE[:, :0], 2, 2), ValueError, "image must not be empty"),
        ((np.ones((4, 5, 0), np.uint8), 2, 2), ValueError, "image must not be empty"),
        ((IMAGE, 0, 2), ValueError, r"height must be in 1\.\.2147483647, not 0"),
        ((IMAGE, 2, -1), ValueError, r"width must be in 1\.\.2147483647, not -1"),
        ((IMAGE, 2.0, 2), TypeError, "height must be an integer, not 2.0"),
        ((IMAGE, 2, "3"), TypeError, "width must be an integer, not '3'"),
        ((IMAGE, 2, 2, None, 0), ValueError, r"threads must be in 1\.\.4096, not 0"),
        ((IMAGE, 2, 2, None, 1.5), TypeError, "threads must be an integer"),
        ((IMAGE, 2**31, 2), ValueError, r"height must be in 1\.\.2147483647, not 2147483648"),
        ((IMAGE, 2, 2**63), ValueError, r"width must be in 1\.\.2147483647, not 9223372036854775808"),
        (
            (IMAGE, 2**31 - 1, 2**31 - 1),
            ValueError,
            "height and width must be such that an address can reach",
        ),
        (
            (np.broadcast_to(np.uint8(1), (2**31, 1)), 2, 2),
            ValueError,
            r"image must have at most 2147483647 rows and columns, but its shape is \(2147483648, 1\)",
        ),
        ((IMAGE, 4, 5, [[0.0]]), TypeError, "out must be a plain NumPy array, not list"),
        ((IMAGE, 4, 5, np.ones((4, 5))), TypeError, "out must be of dtype float32, not float64"),
        (
            (IMAGE, 4, 5, np.ones((5, 4), np.float32)),
            ValueError,
            r"out must have shape \(4, 5\), not \(5, 4\)",
        ),
        ((IMAGE, 4, 5, np.ones((4, 5, 1), np.float32)), ValueError, "out must have shape"),
        ((IMAGE, 4, 5, FIXED), ValueError, "out must be writeable"),
        ((IMAGE, 4, 5, IMAGE), ValueError, "out must not share memory"),
        ((IMAGE[::-1], 3, 5, IMAGE[1:]), ValueError, "out must not share memory"),
    ],
)
def test_bad_input_is_refused(args, error, message):
    with pytest.raises(error, match=message):
        bilinear_resize(*args)
    assert (IMAGE == 1).all() and (FIXED == 1).all()


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="needs the compiler")
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])  # float64 has the code of float32
def test_the_plain_passes_stay_inside_their_arrays(dtype):
    kernel = None
    for old, new in SIZES:
        if 1 in old:
            continue  # the wrapper doubles such an axis
        image = image_of((*old, 2), dtype)
        across, down, columns, rows = plain_passes_for(image.shape, (*new, 2), image.dtype)
        kernel = kernel or bounds_checked(resize.kernels_of(across, down)[1])
        out = np.zeros(new[0] * new[1] * 2, dtype)
        kernel(image.ravel(), old[1] * 2, columns, rows, out, new[1] * 2, 0, new[0])
        check(out.reshape(*new, 2), image)
        last = (rows[0].max() + 1) * old[1] * 2 + columns[0].max() + columns[1]  # that is read
        short = image.ravel()[:last].copy()
        with pytest.raises(IndexError):  # one value too few: so the check can fail
            kernel(short, old[1] * 2, columns, rows, out, new[1] * 2, 0, new[0])


def resize_beside_guards(step=0):
    """Resize images that end, or begin, where no memory is; `step` values too far if the guard is to be seen."""
    for dtype, (old, new), channels, at_end in itertools.product(DTYPES, SIZES, (1, 3, 4, 5), (True, False)):
        image, out = guarded((*old, channels), dtype, at_end), guarded((*new, channels), dtype, at_end)
        image[...] = image_of(image.shape, dtype)
        bilinear_resize(image, *new, out)
        check(out, image)
        if step:
            bilinear_resize(np.lib.stride_tricks.as_strided(image, (old[0] + step, *image.shape[1:])), 2, 2)


@needs_guards
def test_no_pass_reads_or_writes_beside_its_arrays():
    assert exit_code(resize_beside_guards) == 0


@needs_guards
def test_the_guards_are_seen():
    assert exit_code(resize_beside_guards, 1) in CRASHED


WITHOUT = {
    "the compiler": {"NUMBA_DISABLE_JIT": "1"},
    "AVX2": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_it_is_right_without(missing):
    program = """if True:
        import numpy as np
        from numba_course.kernels.resize import across, bilinear_resize, bilinear_resize_spec, config, passes_for
        for dtype, rtol, atol in [(np.uint8, 0, 0.52), (np.float32, 1e-6, 0)]:
            for old, new in [((1, 1), (3, 2)), ((6, 40), (5, 37)), ((9, 8), (3, 2))]:
                image = (np.random.default_rng(0).random((*old, 3)) * 255 + 1).astype(dtype)
                assert passes_for(image.shape, (*new, 3), image.dtype).across is across
                for threads in (1, 2) if config.DISABLE_JIT else (1,):
                    made = bilinear_resize(image, *new, threads=threads)
                    np.testing.assert_allclose(made, bilinear_resize_spec(image, *new), rtol, atol)
    """
    environment = {**os.environ, **WITHOUT[missing]}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)


@pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="OpenCV is not installed")
@pytest.mark.parametrize("old, new", SIZES)
def test_the_geometry_is_that_of_opencv(old, new):
    import cv2

    for channels in ((), (3,)):
        image = image_of((*old, *channels), np.float32)
        theirs = cv2.resize(image, new[::-1], interpolation=cv2.INTER_LINEAR)
        assert_allclose(bilinear_resize(image, *new), theirs.reshape(*new, *channels), rtol=1e-5)
        image = image_of((*old, *channels), np.uint8)
        theirs = cv2.resize(image, new[::-1], interpolation=cv2.INTER_LINEAR)
        ours = bilinear_resize(image, *new)
        assert np.abs(ours.astype(int) - theirs.reshape(ours.shape)).max() <= 1


def test_it_agrees_with_every_peer_of_its_benchmark():
    agrees_with_every_peer("bilinear_resize")

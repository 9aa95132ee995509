"""Crops resized with tables of their own: right to the specification of the resize, and never outside their arrays."""

import numpy as np
import pytest
from numba import config
from numpy.testing import assert_allclose

from numba_course.kernels import vectors
from numba_course.kernels.resize import bilinear_resize_spec, positions
from numba_course.kernels.resize_crops import cropper, memory_for, place, windows
from tests.kernels.guards import CRASHED, copy_beside_guards, exit_code, guarded, needs_guards

FAST = not config.DISABLE_JIT and vectors.has_avx2()
CROPS = [  # image, box, result: the whole, the last pixels, up, down by 2, 3, 4 and 9, narrow rows, one pixel
    ((7, 9), (0, 0, 7, 9), (7, 9)),
    ((7, 40), (5, 38, 2, 2), (9, 40)),
    ((20, 40), (3, 11, 9, 20), (13, 31)),
    ((20, 90), (2, 7, 18, 83), (9, 40)),
    ((20, 90), (0, 1, 20, 89), (7, 29)),
    ((9, 200), (1, 2, 6, 198), (3, 50)),
    ((9, 200), (1, 2, 6, 198), (3, 22)),
    ((5, 4), (2, 1, 3, 3), (6, 5)),
    ((6, 30), (1, 3, 4, 27), (1, 1)),
]


def cropped(shape, box, new, channels, dtype, array=np.zeros, copy=np.array):
    """An image and what the kernel makes of the box; `array` makes what it writes to, and `copy` what it reads."""
    shape, new = (*shape, channels), (*new, channels)
    image = np.random.default_rng(sum(shape)).integers(1, 256, shape).astype(dtype)
    sizes = shape, new, np.dtype(dtype).name
    memory = memory_for(*sizes)
    out, held = array(new, dtype), tuple(array(shape, kind) for shape, kind in memory)
    kernel = cropper(*sizes, memory)[0]
    kernel(copy(image).reshape(-1), shape[1], box, held, out.reshape(-1), new)
    return image, out


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape, box, new", CROPS)
def test_crops_are_resized_as_images_of_their_own(shape, box, new, dtype):
    for channels in (1, 2, 3, 4):
        image, out = cropped(shape, box, new, channels, dtype)
        top, left, height, width = box
        exact = bilinear_resize_spec(image[top : top + height, left : left + width], *new)
        tolerance = {"rtol": 0, "atol": 0.51} if dtype == np.uint8 else {"rtol": 1e-6}
        assert_allclose(out, exact, **tolerance)


def test_one_place_is_that_of_the_table():
    for old, new in [(2, 9), (9, 9), (9, 2), (100, 17), (17, 100)]:
        left, weights = positions(old, new)
        assert [place(k, old, new) for k in range(new)] == list(zip(left, weights, strict=True))


@pytest.mark.skipif(not FAST, reason="needs a processor with AVX2, and the compiler")
def test_the_crops_above_need_windows_of_every_length():
    needed = set()
    for (_, wide), (_, left, _, width), (_, new) in CROPS:
        for channels in (1, 3):
            at = (positions(width, new)[0][:, None] + left) * channels + np.arange(channels)
            at = np.pad(at.ravel(), (0, -at.size % 16), mode="edge").astype(np.uint32)
            base, places = np.empty(at.size // 16, np.uint64), np.empty(at.size, np.uint8)
            span = windows(at, channels, wide * channels, base, places)
            needed.add(span)
            if span:
                assert np.array_equal(base.repeat(16) + places, at) and places.max() < span
                assert base.max() + span + channels <= wide * channels
    assert needed == {0, 16, 32, 64}


def beside_guards(at_end):
    """All crops, where whoever reads or writes beside an array crashes."""
    for shape, box, new in CROPS:
        for channels in (1, 3, 4):
            for dtype in (np.uint8, np.float32):
                cropped(
                    shape,
                    box,
                    new,
                    channels,
                    dtype,
                    lambda shape, dtype: guarded(shape, dtype, at_end),
                    lambda image: copy_beside_guards(image, at_end),
                )


@needs_guards
@pytest.mark.parametrize("at_end", [True, False])
def test_crops_stay_in_their_arrays(at_end):
    for dtype in (np.uint8, np.float32):
        cropped(*CROPS[0], 3, dtype)  # compiled here, once
    assert exit_code(beside_guards, at_end) == 0


@needs_guards
def test_a_crop_beside_the_image_is_noticed():
    cropped(*CROPS[0], 3, np.uint8)
    outside = (5, 40), (4, 0, 2, 40), (9, 40)
    assert exit_code(beside, outside) in CRASHED


def beside(crop):
    """A crop of which one row is below the image."""
    cropped(*crop, 3, np.uint8, copy=lambda image: copy_beside_guards(image, True))


def test_memory_for_another_processor_is_refused():
    memory = memory_for((9, 9, 3), (4, 4, 3), "float64")
    with pytest.raises(ValueError, match="for a processor of another kind"):
        cropper((9, 9, 3), (4, 4, 3), "uint8", memory)

"""`bilinear_resize` against OpenCV, Pillow and our own plain passes: twice up, down a little, down a lot."""

import numpy as np

from benchmarks.harness import Case, installed
from numba_course import kernels
from numba_course.kernels import resize

SIZES = [((512, 512), (1024, 1024)), ((1080, 1920), (720, 1280)), ((1080, 1920), (224, 224))]
TOY = [((16, 16), (32, 32)), ((27, 48), (18, 32)), ((27, 48), (6, 6))]


def cases(toy):
    """One and two threads, float32, uint8 and uint8 with three channels; toys have two threads for one size."""
    for threads in (1, 2):
        few = toy and threads > 1  # each kind of image and change of size is compiled apart
        for dtype, channels in [(np.uint8, ()), (np.uint8, (3,)), (np.float32, ())][: 1 if few else 3]:
            for old, new in TOY[: 1 if few else 3] if toy else SIZES:
                yield case((*old, *channels), (*new, *channels), dtype, threads)


def case(old, new, dtype, threads):
    """One image, and an `out` for each candidate that takes one."""
    pixels = np.random.default_rng(0).random(old)
    image = (pixels * 256).astype(np.uint8) if dtype == np.uint8 else pixels.astype(dtype)
    height, width = new[:2]
    own, plain = np.zeros(new, dtype), np.zeros(new, dtype)

    def ours():
        return kernels.bilinear_resize(image, height, width, own, threads)

    def ours_plain():
        resize.fill(resize.plain_passes_for, image, plain, threads)
        return plain

    peers = {"plain Numba": ours_plain, **opencv(image, new)}
    pillow = installed("PIL.Image")
    if pillow and threads == 1:
        picture = pillow.fromarray(image)
        transform = (old[1] / width, 0, 0, 0, old[0] / height, 0)
        peers["Pillow affine"] = lambda: np.asarray(
            picture.transform((width, height), pillow.Transform.AFFINE, transform, pillow.Resampling.BILINEAR)
        )
    label = f"{np.dtype(dtype)}{f' x {old[2]}' if len(old) == 3 else ''}, {old[1]} x {old[0]} to {width} x {height}"
    written = own.nbytes
    return Case("bilinear_resize", label, ours, peers, threads, agree, touched(image, new) + written, written)


def opencv(image, new):
    """OpenCV's linear resize and, for uint8, its more exact one."""
    cv2 = installed("cv2")
    if not cv2:
        return {}
    methods = {"cv2 LINEAR": cv2.INTER_LINEAR}
    if image.dtype == np.uint8:
        methods["cv2 LINEAR_EXACT"] = cv2.INTER_LINEAR_EXACT
    outs = {name: np.zeros(new, image.dtype) for name in methods}
    return {
        name: lambda out=outs[name], method=method: cv2.resize(image, new[1::-1], out, interpolation=method)
        for name, method in methods.items()
    }


def touched(image, new):
    """Bytes of the rows that have a part in the result."""
    top, _ = resize.positions(len(image), new[0])
    return len(np.union1d(top, top + 1)) * image[0].nbytes


def agree(ours, theirs):
    """In what two results differ by more than the tolerance of OpenCV's fixed point: 1 of 255, or 1e-5."""
    away = np.abs(ours.astype(float) - theirs).max()
    allowed = 1 if ours.dtype == np.uint8 else 1e-5
    return "" if away <= allowed else f"the largest difference is {away:.3g}, {allowed} is allowed"

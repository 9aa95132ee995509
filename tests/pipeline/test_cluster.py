"""The pipeline on a cluster of processes: Dask schedules, ships and retries; ours is what each worker maps."""

import os

import numpy as np
import pytest

from numba_course.pipeline import (
    Brightness,
    CenterCrop,
    HorizontalFlip,
    Normalize,
    Operation,
    Pipeline,
    Resize,
    ToLayout,
    point,
    uniform,
)

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

COUNT, SHAPE, LIMIT = 2400, (256, 256, 3), 500_000_000  # bytes for a worker
pytestmark = [
    pytest.mark.load,
    pytest.mark.usefixtures("generated_modules"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),  # of distributed
]


class Invert(Operation):
    """What a learner writes: a worker cannot import this module, nor read its source."""

    def generate_code(self):
        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < 0.5:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b

        return invert


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """More bytes on disk than the workers may have in memory, most of them zeros."""
    path = tmp_path_factory.mktemp("photographs") / "photographs.npy"
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (COUNT, *SHAPE))
    images[:: COUNT // 8] = np.random.default_rng(0).integers(0, 256, (8, *SHAPE), np.uint8)
    images.flush()
    return path


@pytest.fixture(scope="module")
def made(generated_modules):
    colours = [Brightness(), Invert(), Normalize((0.5,) * 3, (0.2,) * 3)]
    return Pipeline(
        [Resize(240, 240), CenterCrop(224, 224), HorizontalFlip(), *colours, ToLayout("CHW")], SHAPE
    )


@pytest.fixture(scope="module")
def client(made):
    """Two processes on this machine; `made` is on the disk before they are there."""
    options = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1", "memory_limit": LIMIT}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        with distributed.Client(cluster) as client:
            yield client


def mapped(pipeline, path, block, accident=None):
    """Batches as a Dask array; each block reads its photographs from the file, by their numbers."""

    def batch(ids):
        if accident is not None and ids.size and 0 in ids and not os.path.exists(accident):
            open(accident, "w").close()
            os._exit(1)
        return pipeline(np.load(path, mmap_mode="r"), rows=ids)

    ids = da.arange(COUNT, chunks=block)
    shape = pipeline.allocate(0).shape[1:]
    return ids.map_blocks(
        batch, dtype=np.float32, new_axis=(1, 2, 3), chunks=(ids.chunks[0], *((n,) for n in shape))
    )


def machine_code(pipeline):
    """How often this process loaded it from the disk, and how often it compiled."""
    stats = pipeline._function.stats
    return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())


def test_workers_load_the_machine_code_and_make_the_same(client, made, photographs):
    chosen = np.arange(0, COUNT, COUNT // 8)
    expected = made(np.load(photographs, mmap_mode="r"), rows=chosen)
    for block in (25, 16):  # the draws do not depend on the blocks
        assert np.array_equal(mapped(made, photographs, block)[chosen].compute(), expected)
    workers = list(client.scheduler_info()["workers"])
    seen = [client.submit(machine_code, made, workers=[worker], pure=False).result() for worker in workers]
    assert machine_code(made) == (0, 1)
    assert seen == [(1, 0), (1, 0)]


def test_more_than_fits_into_memory(client, made, photographs):
    batches = mapped(made, photographs, 25)
    assert batches.nbytes > 2 * LIMIT  # and the photographs come on top
    means = batches.mean(axis=(1, 2, 3)).compute()
    chosen = np.arange(0, COUNT, COUNT // 8)
    expected = made(np.load(photographs, mmap_mode="r"), rows=chosen).mean(axis=(1, 2, 3))
    assert means.shape == (COUNT,)
    np.testing.assert_allclose(means[chosen], expected, rtol=1e-4, atol=1e-5)


def test_the_blocks_of_a_killed_worker_are_computed_again(client, made, photographs, tmp_path):
    accident = tmp_path / "happened"
    chosen = np.arange(0, 200, 25)
    made_there = mapped(made, photographs, 25, str(accident))[chosen].compute()
    assert accident.exists()
    assert np.array_equal(made_there, made(np.load(photographs, mmap_mode="r"), rows=chosen))

"""The loader: order, slots, threads that end, faults that reach the consumer, and nothing that grows."""

import gc
import io
import os
import subprocess
import sys
import threading
import tracemalloc
from functools import partial

import numpy as np
import psutil
import pytest
from rich.console import Console
from rich.progress import Progress

from numba_course.pipeline import Brightness, HorizontalFlip, Loader, Pipeline, PipelineError, RandomCrop
from numba_course.pipeline import loader as loader_module
from numba_course.pipeline.loader import _Epoch

SHAPE = (20, 27, 3)
IMAGES = np.random.default_rng(1).integers(0, 256, (7, *SHAPE), dtype=np.uint8)
SOAK = int(os.environ.get("NUMBA_COURSE_SOAK", "60"))  # epochs
RESIDENT = 20_000_000  # bytes by which the process may grow; the system's count of them is coarse

pytestmark = [pytest.mark.load, pytest.mark.usefixtures("generated_modules")]


@pytest.fixture(scope="module")
def made():
    return Pipeline([Brightness(), RandomCrop(9, 16), HorizontalFlip()], SHAPE, seed=5)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("ahead", [0, 2])
def test_batches_come_in_order(made, workers, ahead):
    loader = Loader(made, IMAGES, batch_size=2, workers=workers, ahead=ahead)
    for epoch in range(2):
        seen = []
        for batch, ids in loader:
            assert np.array_equal(batch, made(IMAGES, rows=ids, epoch=epoch))
            seen += ids.tolist()
        assert sorted(seen) == list(range(7))
        assert seen == loader.order(epoch).tolist()
    assert len(loader) == 4
    assert len(Loader(made, IMAGES, batch_size=2, drop_last=True)) == 3


@pytest.mark.parametrize("shuffle", [True, False])
def test_loaders_for_parts_of_the_images_make_what_one_for_all_makes(made, shuffle):
    labels = [f"image {n}" for n in range(7)]
    mask = np.array([True, False, True, True, True, False, True])
    whole = made(IMAGES, epoch=0)
    parts = [
        Loader(made, IMAGES, labels, batch_size=2, indices=mask, rank=rank, world=2, shuffle=shuffle)
        for rank in range(2)
    ]
    assert [len(part) for part in parts] == [2, 1]
    seen = []
    for part in parts:
        numbers = part.order(0)
        for batch, names in part:
            assert names.tolist() == [labels[n] for n in numbers[: len(names)]]
            assert np.array_equal(batch, whole[numbers[: len(names)]])
            seen, numbers = [*seen, *numbers[: len(names)].tolist()], numbers[len(names) :]
    assert sorted(seen) == [0, 2, 3, 4, 6] and len(parts[0].order(0)) == 3
    assert Loader(made, IMAGES, batch_size=1, indices=[5, 5, 1], shuffle=False).order(0).tolist() == [5, 5, 1]
    assert list(Loader(made, IMAGES, batch_size=1, indices=[])) == []


def test_a_loader_goes_on_with_the_epoch_that_it_is_given(made):
    loader = Loader(made, IMAGES, batch_size=7, workers=1)
    loader.epoch = 5
    for batch, ids in loader:
        assert np.array_equal(batch, made(IMAGES, rows=loader.order(5), epoch=5))
        assert np.array_equal(ids, loader.order(5))
    assert loader.epoch == 6


def workers_alive():
    return [thread for thread in threading.enumerate() if thread.name.startswith("loader-")]


def test_threads_end_with_the_loop_a_break_and_a_forgotten_iterator(made):
    loader = Loader(made, IMAGES, batch_size=1)
    for _ in loader:
        break
    assert not workers_alive()
    iterator = iter(loader)
    next(iterator)
    assert workers_alive()
    with pytest.raises(RuntimeError, match="iterated already"):
        iter(loader)
    del iterator
    assert not workers_alive()
    assert len(list(loader)) == 7


def test_iterator_that_never_starts_and_an_epoch_that_cannot_start_leave_the_loader_free(made, monkeypatch):
    loader = Loader(made, IMAGES, batch_size=7)
    never, other = iter(loader), iter(loader)
    del never
    assert len(list(zip([], loader, strict=False))) == 0
    next(other)
    with pytest.raises(RuntimeError, match="iterated already"):
        iter(loader)
    other.close()
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(loader, "order", lambda: None)  # is called with the epoch
        list(loader)
    assert len(list(loader)) == 1 and loader.epoch == 3


def test_two_iterators_do_not_share_the_slots(made):
    loader = Loader(made, IMAGES, batch_size=1)
    one, two = iter(loader), iter(loader)
    next(one)
    with pytest.raises(RuntimeError, match="iterated already"):
        next(two)
    assert len(list(one)) == 6


def test_no_worker_runs_ahead_of_its_slots(made):
    loader = Loader(made, IMAGES, batch_size=1, workers=1, ahead=1, shuffle=False)
    iterator = iter(loader)
    first, _ = next(iterator)
    kept = first.copy()
    for _ in range(30):  # turns, in which it could run ahead
        for thread in workers_alive():
            thread.join(0.01)
    assert np.array_equal(first, kept)
    assert not np.shares_memory(first, next(iterator)[0])


def test_what_fails_in_a_worker_reaches_the_consumer(made, monkeypatch):
    def run(images, rows, ids, out, epoch, start, stop):
        if 3 in ids:
            raise MemoryError("no more")

    loader = Loader(made, IMAGES, batch_size=1, shuffle=False)
    monkeypatch.setattr(made, "run", run)
    seen = []
    with pytest.raises(RuntimeError, match="batch 3: MemoryError: no more") as caught:
        for _, ids in loader:
            seen += ids.tolist()
    assert seen == [0, 1, 2]
    assert isinstance(caught.value.__cause__, MemoryError)
    assert not workers_alive()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"batch_size": 2.5}, "batch_size must be an integer, not 2.5"),
        ({"batch_size": "4"}, "batch_size must be an integer, not '4'"),
        ({"batch_size": 1, "indices": [7]}, r"indices must be in 0\.\.6, not 7\.\.7"),
        ({"batch_size": 1, "indices": [0.5]}, "indices must be a sequence of integers"),
        ({"batch_size": 1, "indices": [True]}, "indices as a mask must have a value for each image, 7"),
        ({"batch_size": 1, "world": 0}, "world must be at least 1, not 0"),
        ({"batch_size": 1, "rank": 2, "world": 2}, r"rank must be in 0\.\.1, not 2"),
        ({"batch_size": 1, "workers": 0}, "workers must be in 1..4096, not 0"),
        ({"batch_size": 1, "workers": 1.5}, "workers must be an integer, not 1.5"),
        ({"batch_size": 1, "ahead": -1}, "ahead must be at least 0, not -1"),
        ({"batch_size": 1, "ahead": True}, "ahead must be an integer, not True"),
        ({"batch_size": 1, "labels": 7}, "labels must be a sequence, not int"),
        ({"batch_size": 1, "labels": set(range(7))}, "labels must be a sequence, not set"),
        ({"batch_size": 1, "labels": "cats"}, "labels must be a sequence, not str"),
        ({"batch_size": 1, "labels": [1]}, "labels must be as many as the images, 7, not 1"),
        (
            {"batch_size": 1, "labels": [(0, "cat")] * 7},
            "labels must be of one type, or an array: NumPy makes <U21",
        ),
        ({"batch_size": 1, "labels": [2**63, -1, 0, 0, 0, 0, 0]}, "NumPy makes float64 of these"),
        (
            {"batch_size": 1, "labels": [[1], [2, 3]]},
            r"labels must be a sequence of values of one shape, not \[\[1\]",
        ),
        ({"batch_size": 1, "labels": np.ma.masked_equal(range(7), 3)}, "labels must not be a masked array"),
        (
            {"batch_size": 1, "indices": np.ma.masked_equal([True] * 7, 1)},
            "indices must not be a masked array",
        ),
        ({"batch_size": 1, "shuffle": "False"}, "shuffle must be True or False, not 'False'"),
        ({"batch_size": 1, "drop_last": "no"}, "drop_last must be True or False, not 'no'"),
        ({"batch_size": 1, "progress": 1}, "progress must be True or False, not 1"),
    ],
)
def test_a_bad_loader_is_refused(made, options, says):
    with pytest.raises(PipelineError, match=says):
        Loader(made, IMAGES, **options)


def test_what_is_no_pipeline_is_refused(made):
    for given in (None, [HorizontalFlip()], IMAGES):
        with pytest.raises(PipelineError, match=r"^pipeline must be a Pipeline, not "):
            Loader(given, made, batch_size=1)


def test_labels_keep_their_type(made):
    for labels in ([(0, 1)] * 7, ["a", "bcd"] * 3 + [""], [0.5, np.nan] * 3 + [1.0], [None, {}] * 3 + [1]):
        (_, given), *_ = Loader(made, IMAGES, labels, batch_size=7, shuffle=False)
        np.testing.assert_equal(
            given.tolist(), [list(one) if isinstance(one, tuple) else one for one in labels]
        )


def test_there_are_no_more_slots_than_batches_nor_larger_ones(made):
    loader = Loader(made, IMAGES, batch_size=3, ahead=10**9)
    assert len(loader.slots) == 3
    assert sum(len(ids) for _, ids in loader) == 7
    loader = Loader(made, IMAGES, batch_size=2**62)
    assert [len(slot) for slot in loader.slots] == [7] and loader.batch_size == 2**62
    assert [len(ids) for _, ids in loader] == [7]


def test_an_epoch_beyond_64_bits_is_refused(made):
    loader = Loader(made, IMAGES, batch_size=3)
    loader.epoch = 2**64
    with pytest.raises(PipelineError, match=r"epoch must be in 0\.\.18446744073709551615"):
        next(iter(loader))
    with pytest.raises(PipelineError, match=r"epoch must be in"):
        loader.order(2**70)


def test_order_of_an_epoch_that_is_no_whole_number_is_refused(made):
    with pytest.raises(PipelineError, match=r"epoch must be an integer, not 0\.5"):
        Loader(made, IMAGES, batch_size=1).order(0.5)


def test_batches_cannot_be_made_larger_than_their_slots(made):
    loader = Loader(made, IMAGES, batch_size=4)
    with pytest.raises(AttributeError):
        loader.batch_size = 6
    assert [len(ids) for _, ids in loader] == [4, 3]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("at", [0, 6])
def test_any_fault_at_any_batch_ends_the_epoch_and_the_next_one_is_whole(made, monkeypatch, fault, at):
    loader = Loader(made, IMAGES, batch_size=1, workers=3, ahead=0, shuffle=False)

    def run(images, rows, *rest):
        if rows[0] == at:
            raise fault("no more")

    with monkeypatch.context() as patch:
        patch.setattr(made, "run", run)
        with pytest.raises(RuntimeError, match=f"batch {at}: {fault.__name__}"):
            list(loader)
    assert not workers_alive()
    seen = [made(IMAGES, rows=ids, epoch=1) == batch for batch, ids in loader]
    assert len(seen) == 7 and np.all(seen)


def test_after_a_second_interrupt_the_next_epoch_waits_for_the_threads_of_the_first(made, monkeypatch):
    loader, go, run = Loader(made, IMAGES, batch_size=1, workers=2, ahead=1), threading.Event(), made.run

    def slow(images, rows, ids, out, epoch, start, stop):
        if epoch == 0:
            go.wait(30)
            out[:] = -1  # into a slot that the next epoch uses, too
        else:
            run(images, rows, ids, out, epoch, start, stop)

    monkeypatch.setattr(made, "run", slow)
    iterator = iter(loader)
    with monkeypatch.context() as patch:
        patch.setattr(_Epoch, "wait_for", lambda *args: interrupted())
        patch.setattr(threading.Thread, "join", lambda *args: interrupted())
        with pytest.raises(KeyboardInterrupt):
            next(iterator)
    assert len(workers_alive()) == 2
    threading.Timer(0.2, go.set).start()
    for batch, ids in loader:
        assert batch.min() >= 0 and len(ids) == 1
    assert not workers_alive()


def interrupted():
    raise KeyboardInterrupt


FORKED = """
import os, signal, sys
import numpy as np
from numba_course.pipeline import HorizontalFlip, Loader, Pipeline
images = np.arange(6 * 4 * 9 * 3, dtype=np.uint8).reshape(6, 4, 9, 3)
loader = Loader(Pipeline([HorizontalFlip()], (4, 9, 3), compiled=False), images, batch_size=2)
begun = iter(loader)
next(begun)
child = os.fork()
if not child:
    signal.alarm(30)
    try:
        next(begun)
    except RuntimeError as error:
        assert "forked" in str(error), error
    else:
        os._exit(4)
    alone = Loader(loader.pipeline, images, batch_size=2)
    alone.epoch = loader.epoch
    seen = [(ids.tolist(), batch.tobytes()) for batch, ids in loader]
    del begun
    same = seen == [(ids.tolist(), batch.tobytes()) for batch, ids in alone]
    os._exit(0 if same and len(seen) == 3 else 3)
assert len(list(begun)) == 2 and len(list(loader)) == 3
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_in_a_forked_process_epochs_begin_and_none_goes_on():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=100)


def test_a_thread_that_cannot_be_started_leaves_none_behind(made, monkeypatch):
    start, started = threading.Thread.start, []

    def second_fails(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    loader = Loader(made, IMAGES, batch_size=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", second_fails)
        with pytest.raises(RuntimeError, match="start new thread"):
            list(loader)
    assert not workers_alive()
    assert len(list(loader)) == 7


@pytest.mark.parametrize(
    ("patience", "progress", "shown"), [(-1, True, True), (-1, False, False), (60, True, False)]
)
def test_a_long_epoch_shows_how_far_it_is_if_asked(made, monkeypatch, patience, progress, shown):
    screen = io.StringIO()
    bar = partial(Progress, console=Console(file=screen, force_terminal=True))
    monkeypatch.setattr(loader_module, "Progress", bar)
    monkeypatch.setattr(loader_module, "PATIENCE", patience)
    assert len(list(Loader(made, IMAGES, batch_size=1, progress=progress))) == 7
    assert ("epoch 0" in screen.getvalue()) is shown


def usage(process):
    """What a process holds of what can leak: bytes by Python's count and the system's, threads, open handles."""
    handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return tracemalloc.get_traced_memory()[0], process.memory_info().rss, threading.active_count(), handles


@pytest.mark.timeout(900 + SOAK / 50)
def test_a_soak_leaves_nothing_behind(made, monkeypatch):
    """Whole epochs, broken-off ones and failed ones; NUMBA_COURSE_SOAK is how many, for a longer one (-s shows it)."""
    loader = Loader(made, IMAGES, batch_size=2, workers=3)
    slots, process, seen = [id(slot) for slot in loader.slots], psutil.Process(), []
    batches = 0

    def no_memory(*args):
        raise MemoryError("no more")

    def epochs(count):
        nonlocal batches
        for turn in range(count):
            if turn % 6 == 5:
                with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="no more"):
                    patch.setattr(made, "run", no_memory)
                    list(loader)
                continue
            for number, _ in enumerate(loader):
                batches += 1
                if number == turn % 6:
                    break

    tracemalloc.start()
    try:
        epochs(6)
        known = set(sys.modules)
        for quarter in range(5):
            epochs(SOAK // 4 if quarter else 0)
            gc.collect()
            seen.append(usage(process))
            print(
                f"{batches} batches: {seen[-1][1] / 1e6:.1f} MB, {seen[-1][2]} threads, {seen[-1][3]} handles"
            )
    finally:
        tracemalloc.stop()
    traced, resident, threads, handles = zip(*seen, strict=True)
    assert len(set(threads)) == 1 and len(set(handles)) == 1
    assert set(sys.modules) == known
    assert [id(slot) for slot in loader.slots] == slots
    assert traced[-1] - traced[1] < 20_000
    assert resident[-1] - resident[1] < RESIDENT

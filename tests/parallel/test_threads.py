"""Ranks as threads: what they exchange, and that none of them is left alone or left running."""

import signal
import sys
import time

import numpy as np
import pytest

from tinytorch.parallel.errors import ParallelError
from tinytorch.parallel.threads import run_threads


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(sys._current_frames())
    yield
    for _ in range(600):  # Thread.is_alive() is not right where a join was interrupted
        if set(sys._current_frames()) <= before:
            return
        time.sleep(0.1)
    raise AssertionError("a thread is left")


def exchange(communicator):
    mine = np.arange(6.0, dtype=np.float32) * (communicator.rank + 1)
    part = communicator.reduce_scatter_mean(mine)
    mine[:] = -1
    return part, communicator.all_gather(part)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_each_rank_gets_its_part_of_the_mean_and_then_all_parts(size):
    mean = np.arange(6.0) * (size + 1) / 2
    for (part, whole), own in zip(run_threads(exchange, size), np.split(mean, size), strict=True):
        np.testing.assert_array_equal(part, own)
        np.testing.assert_array_equal(whole, mean)
        assert part.dtype == whole.dtype == np.float32


def test_many_rounds_mix_no_arrays():
    def work(communicator):
        return [communicator.all_gather(np.array([n, communicator.rank])) for n in range(500)]

    expected = [[n, 0, n, 1, n, 2] for n in range(500)]
    assert np.array(run_threads(work, 3)).tolist() == [expected] * 3


@pytest.mark.parametrize("shape", [(5,), (2, 2), ()])
def test_an_array_that_cannot_be_cut_is_refused(shape):
    with pytest.raises(ValueError, match=r"flat, a multiple of 2 long, got \[\("):
        run_threads(lambda ranks: ranks.reduce_scatter_mean(np.zeros(shape)), 2)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"got \[\(2,\), \(4,\)\]"):
        run_threads(lambda ranks: ranks.reduce_scatter_mean(np.zeros(2 * ranks.rank + 2)), 2)


def test_what_one_rank_raises_is_raised_while_the_others_wait():
    def work(communicator):
        if communicator.rank == 1:
            raise KeyError("of rank 1")
        communicator.all_gather(np.zeros(1))

    with pytest.raises(KeyError, match="of rank 1"):
        run_threads(work, 3)


def test_nobody_waits_for_a_rank_that_ends_without_a_call():
    def work(communicator):
        if communicator.rank != 1:
            communicator.all_gather(np.zeros(1))

    with pytest.raises(ParallelError, match="rank [02] waited for others that did not come"):
        run_threads(work, 3)


class _InterruptionError(BaseException):
    pass


def go_on_and_on(communicator):
    if communicator.rank == 0:
        while True:
            try:
                time.sleep(0.001)
            except BaseException:
                time.sleep(0.1)
    communicator.all_gather(np.zeros(1))


def test_ranks_end_when_the_wait_for_them_is_interrupted():
    def interrupt(number, frame):
        raise _InterruptionError

    earlier = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(_InterruptionError):
            run_threads(go_on_and_on, 3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)

import threading
import time

import pytest

from mmcodec.pipeline.ahead import ahead


@pytest.mark.parametrize("count", [1, 3, 50])
def test_items_come_in_order(count):
    assert list(ahead(iter(range(20)), count)) == list(range(20))
    assert list(ahead(iter(()), count)) == []


def test_items_are_made_elsewhere_and_not_too_far_ahead():
    made, threads = [], set()

    def items():
        for number in range(20):
            threads.add(threading.current_thread())
            made.append(number)
            yield number

    for used, _ in enumerate(ahead(items(), 4)):
        assert len(made) <= used + 5
    assert threading.main_thread() not in threads


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise KeyError("two")

    got = ahead(items(), 4)
    assert next(got) == 1
    with pytest.raises(KeyError, match="two"):
        next(got)


def test_stopping_early_stops_the_making():
    made = []
    got = ahead((made.append(n) or n for n in range(1000)), 4)
    next(got)
    got.close()
    assert len(made) < 10


def test_who_waits_is_told_that_nothing_comes():
    more = threading.Event()

    def items():
        yield 1
        more.wait(10)
        yield 2

    got = ahead(items(), 4, idle_s=0.02)
    assert [next(got), next(got), next(got)] == [1, None, None]
    more.set()
    assert [one for one in got if one is not None] == [2]


def test_a_thread_that_hangs_is_left():
    hanging = threading.Event()

    def items():
        yield 1
        hanging.wait(20)
        yield 2

    got = ahead(items(), 4, idle_s=0.02)
    next(got)
    started = time.monotonic()
    got.close()
    assert time.monotonic() - started < 5
    hanging.set()

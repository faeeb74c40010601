"""Work in two places at once: what comes next is made while what came before is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

Item = TypeVar("Item")
_LOOK_S = 0.1
"""How often a thread whose items nobody takes looks whether it should end."""
_LEAVE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Made(Generic[Item]):
    """An item, or in its place an error, or the end."""

    item: Item | None = None
    error: BaseException | None = None
    is_end: bool = False


@overload
def ahead(items: Iterator[Item], count: int) -> Iterator[Item]: ...
@overload
def ahead(items: Iterator[Item], count: int, idle_s: float) -> Iterator[Item | None]: ...
def ahead(
    items: Iterator[Item], count: int, idle_s: float | None = None
) -> Iterator[Item] | Iterator[Item | None]:
    """``items`` in order, made in a thread of their own, at most ``count`` of them in advance.

    An error of ``items`` is raised where its item would have come. With ``idle_s``, None comes
    whenever there is no item for so many seconds, and a thread that hangs is left to itself.
    """
    made: queue.Queue[_Made[Item]] = queue.Queue(count)
    over = threading.Event()
    thread = threading.Thread(target=_make, args=(items, made, over), daemon=True)
    thread.start()
    try:
        while True:
            try:
                one = made.get(timeout=idle_s)
            except queue.Empty:
                yield None
                continue
            if one.error is not None:
                raise one.error
            if one.is_end:
                return
            yield one.item
    finally:
        over.set()
        thread.join(_LEAVE_S if idle_s is not None else None)


def _make(items: Iterator[Item], made: queue.Queue[_Made[Item]], over: threading.Event) -> None:
    def hand_over(one: _Made[Item]) -> None:
        waiting = True
        while waiting and not over.is_set():
            with suppress(queue.Full):
                made.put(one, timeout=_LOOK_S)
                waiting = False

    try:
        for item in items:
            hand_over(_Made(item))
            if over.is_set():
                return
    except BaseException as error:  # it is raised where the items are used
        hand_over(_Made(error=error))
    else:
        hand_over(_Made(is_end=True))

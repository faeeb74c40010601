"""Work in two places at once: what comes next is made while what came before is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

Item = TypeVar("Item")
_END = object()


def ahead(items: Iterator[Item], count: int) -> Iterator[Item]:
    """``items`` in order, made in a thread of their own, at most ``count`` of them in advance.

    An error of ``items`` is raised where its item would have come.
    """
    with ThreadPoolExecutor(1) as worker:
        pending = deque(worker.submit(next, items, _END) for _ in range(count))
        while (item := pending.popleft().result()) is not _END:
            pending.append(worker.submit(next, items, _END))
            yield cast("Item", item)

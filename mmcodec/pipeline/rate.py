"""Rate control: which sketch each shot gets, so that a stream is as good as its bytes allow.

Of a file all shots are known before one is written (two passes over the sketches, not over the
source): the options of each shot are climbed where a byte buys most, so that all shots end at one
slope, and what is left over goes to whom it still helps (Y. Shoham and A. Gersho, "Efficient bit
allocation for an arbitrary set of quantizers", 1988). A live stream is written as it comes, from a
buffer that fills at the bit rate (as the VBV of MPEG-2, ISO/IEC 13818-2, annex C).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from mmcodec.pipeline.trials import Option
from mmcodec.timeline import Cue, Layer, Prompt

_LEAST_PROMPT = 12
"""Letters that even the shortest prompt keeps."""

Measure = Callable[[Sequence[Cue]], int]
"""Bytes of the stream of these cues."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A cue before its sketch is chosen from ``options`` (none: it stays as it is).

    ``seconds`` is how long it is shown, ``end_s`` when it ends; ``look`` what is sent in place of
    a sketch.
    """

    cue: Cue
    seconds: float
    end_s: float
    options: tuple[Option, ...] = ()
    look: bytes = b""

    def with_option(self, place: int | None) -> Cue:
        """The cue with one of its options, or with its look."""
        if not self.options:
            return self.cue
        if place is None:
            return replace(self.cue, descriptors={Layer.LOOK: self.look})
        return replace(self.cue, descriptors={Layer.SKETCH: self.options[place].data})


@dataclass(frozen=True, slots=True)
class Allocation:
    """The cues of a stream; ``fallbacks`` says what was given up to keep to its bytes."""

    cues: tuple[Cue, ...]
    fallbacks: tuple[str, ...] = ()


def allocate(drafts: Sequence[Draft], most: int, measure: Measure) -> Allocation:
    """The best stream of at most ``most`` bytes as ``measure`` counts them, if there is one."""
    shots = [number for number, draft in enumerate(drafts) if draft.options]
    places: dict[int, int | None] = dict.fromkeys(shots, 0)
    spare = most - measure(_chosen(drafts, places))
    for number in sorted(shots, key=lambda shot: -len(drafts[shot].options[0].data)):
        if spare >= 0:
            break
        spare += len(drafts[number].options[0].data) - len(drafts[number].look)
        places[number] = None
    while True:  # packets that are longer say so in more bytes, so once may not be enough
        chosen = _climbed(drafts, places, spare)
        cues = _chosen(drafts, chosen)
        over = measure(cues) - most
        if over <= 0 or chosen == places:
            break
        spare -= over
    fallbacks = []
    if left_out := sum(place is None for place in chosen.values()):
        fallbacks.append(f"{left_out} of {len(shots)} shots are sent without a sketch")
    if over > 0 and any(Layer.LOOK in cue.descriptors for cue in cues):
        cues = [replace(cue, descriptors=_without_look(cue)) for cue in cues]
        over = measure(cues) - most
        fallbacks.append("shots are sent without their colours")
    if over > 0:
        cues = _shortened(cues, most, measure)
        over = measure(cues) - most
        fallbacks.append("prompts are shortened")
    if over > 0:
        fallbacks.append(f"even so the stream is {over} bytes over the wanted {most}")
    return Allocation(tuple(cues), tuple(fallbacks))


class Buffer:
    """Bits that may be spent now: a bucket that fills at ``bit_rate`` and holds ``seconds`` of
    it; it is full at the start.
    """

    def __init__(self, bit_rate: float, seconds: float) -> None:
        self._rate, self._most = bit_rate / 8, bit_rate * seconds / 8
        self._bytes, self._filled_s = self._most, 0.0

    def choose(self, draft: Draft) -> Cue:
        """The draft with the best option that the buffer has the bytes for, or the smallest."""
        later_s = max(draft.end_s - self._filled_s, 0.0)
        self._filled_s += later_s
        self._bytes = min(self._bytes + self._rate * later_s, self._most)
        fitting = [n for n, option in enumerate(draft.options) if len(option.data) <= self._bytes]
        return draft.with_option(max(fitting, default=0))

    def spend(self, sent: int) -> None:
        """Take the bytes of a cue as it was written."""
        self._bytes -= sent


@dataclass(frozen=True, slots=True, order=True)
class _Step:
    """A shot's step to a better option; the least is the one that gains most a byte."""

    loss: float
    shot: int
    option: int
    more: int


def _climbed(
    drafts: Sequence[Draft], start: dict[int, int | None], spare: float
) -> dict[int, int | None]:
    """Options from ``start`` on that take at most ``spare`` more bytes: again and again the one
    of all that gains most a byte.
    """
    places = dict(start)
    steps = [step for shot in places if (step := _best_step(drafts, places, shot, spare))]
    heapify(steps)
    while steps:
        step = heappop(steps)
        if step.more <= spare:
            places[step.shot], spare = step.option, spare - step.more
        again = _best_step(drafts, places, step.shot, spare)
        if again:
            heappush(steps, again)
    return places


def _best_step(
    drafts: Sequence[Draft], places: dict[int, int | None], shot: int, spare: float
) -> _Step | None:
    """The step of a shot that gains most a byte, of those for which there are the bytes."""
    draft, place = drafts[shot], places[shot]
    if place is None:
        return None
    here = draft.options[place]
    found = []
    for number, option in enumerate(draft.options[place + 1 :], place + 1):
        more = len(option.data) - len(here.data)
        if more <= spare:
            gain = draft.seconds * (option.quality - here.quality)
            found.append(_Step(-gain / more, shot, number, more))
    return min(found, default=None)


def _chosen(drafts: Sequence[Draft], places: dict[int, int | None]) -> list[Cue]:
    return [draft.with_option(places.get(number)) for number, draft in enumerate(drafts)]


def _without_look(cue: Cue) -> dict[Layer, bytes]:
    return {layer: data for layer, data in cue.descriptors.items() if layer is not Layer.LOOK}


def _shortened(cues: Sequence[Cue], most: int, measure: Measure) -> list[Cue]:
    """The cues with the longest prompts that fit, or with the shortest ones."""

    def at_most(letters: int) -> list[Cue]:
        return [c if c.spoken else replace(c, prompt=_cut(c.prompt, letters)) for c in cues]

    low, high = _LEAST_PROMPT, max(len(cue.prompt.text) for cue in cues)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(at_most(middle)) <= most:
            low = middle
        else:
            high = middle - 1
    return at_most(low)


def _cut(prompt: Prompt, longest: int) -> Prompt:
    """A prompt without its last words."""
    if len(prompt.text) <= longest:
        return prompt
    return Prompt(prompt.text[: longest + 1].rsplit(" ", 1)[0].rstrip(" ,;:."))

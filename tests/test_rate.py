"""Rate control: bytes go where they buy most, and none are over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcodec.pipeline.rate import Buffer, Draft, allocate
from mmcodec.pipeline.trials import Option
from mmcodec.timeline import Cue, Layer, Prompt, Segment, SegmentKind, Shot

FRAMING = 10


def draft(start, options, seconds=2.0, text="A red car on a long and winding road at dusk"):
    made = tuple(Option(bytes(size), quality) for size, quality in options)
    cue = Cue(Shot(start, start + 48), Prompt(text))
    return Draft(cue, seconds, (start + 48) / 24, made, bytes(10))


def measure(cues):
    return sum(
        FRAMING + len(cue.prompt.text) // 4 + sum(map(len, cue.descriptors.values()))
        for cue in cues
    )


def sizes(allocation):
    return [len(cue.descriptors.get(Layer.SKETCH, b"")) for cue in allocation.cues]


CURVES = st.lists(
    st.lists(st.tuples(st.integers(11, 900), st.floats(0.01, 0.3)), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
).map(lambda shots: [curve(shot) for shot in shots])


def curve(steps):
    """Rising bytes and quality."""
    points = np.cumsum(np.array(steps, float), axis=0)
    return [(int(size), float(quality)) for size, quality in points]


@given(CURVES, st.integers(100, 20_000))
def test_a_stream_is_never_over_if_it_can_be_under(curves, most):
    drafts = [draft(48 * n, options) for n, options in enumerate(curves)]
    made = allocate(drafts, most, measure)
    least = measure([d.cue for d in drafts]) + 10 * len(drafts)
    if least <= most:
        assert measure(made.cues) <= most
    chosen = sizes(made)
    spare = most - measure(made.cues)
    if all(chosen):  # nothing that helps is left undone
        for size, options in zip(chosen, curves, strict=True):
            assert all(more - size > spare for more, _ in options if more > size)


def test_bytes_go_where_they_buy_most():
    easy, hard = [(50, 0.9), (500, 0.91)], [(50, 0.3), (500, 0.8)]
    made = allocate([draft(0, easy), draft(48, hard)], 620, measure)
    assert sizes(made) == [50, 500]
    longer = allocate([draft(0, hard, 8.0), draft(48, hard, 1.0)], 620, measure)
    assert sizes(longer) == [500, 50]


def test_the_lowest_rates_give_up_colours_before_words():
    drafts = [draft(48 * n, [(100, 0.5)]) for n in range(3)]
    made = allocate(drafts, 65, measure)
    assert made.fallbacks[1:] == ("shots are sent without their colours",)
    assert all(not cue.descriptors and len(cue.prompt.text) == 44 for cue in made.cues)
    shorter = allocate(drafts, 56, measure)
    assert shorter.fallbacks[2:] == ("prompts are shortened",)
    assert 48 <= measure(shorter.cues) <= 56


def test_too_low_a_rate_gives_up_sketches_and_then_words_and_says_so():
    drafts = [draft(48 * n, [(100, 0.5)]) for n in range(3)]
    whole = allocate(drafts, 1000, measure)
    assert whole.fallbacks == ()
    some = allocate(drafts, 250, measure)
    assert some.fallbacks == ("2 of 3 shots are sent without a sketch",)
    assert measure(some.cues) <= 250
    few = allocate(drafts, 50, measure)
    assert few.fallbacks[2] == "prompts are shortened"
    assert all(cue.prompt.text and len(cue.prompt.text) < 44 for cue in few.cues)
    none = allocate(drafts, 10, measure)
    assert none.fallbacks[-1].startswith("even so the stream is")


def test_what_is_spoken_is_not_shortened():
    speech = Cue(Segment(0, 50, SegmentKind.SPEECH), Prompt("A woman: “" + "word " * 20 + "end”"))
    made = allocate([Draft(speech, 1.0, 1.0), draft(0, [(50, 0.5)])], 10, measure)
    assert made.cues[0] == speech


@pytest.mark.parametrize("seconds", [2.0, 8.0])
def test_a_buffer_never_runs_dry_and_saves_up_no_more_than_it_holds(seconds):
    buffer, sent = Buffer(800, seconds), []
    shots = [draft(48 * n, [(20, 0.1), (100, 0.2), (400, 0.5), (3000, 0.9)]) for n in range(50)]
    for shot in shots:
        sent.append(len(buffer.choose(shot).descriptors[Layer.SKETCH]))
        buffer.spend(sent[-1])
        played = len(sent) * 2.0
        assert sum(sent) <= 100 * (seconds + played)
    assert max(sent) <= 100 * seconds
    assert sum(sent) >= 0.5 * 100 * 100

"""Which work the encoder gives to the search for sketches."""

import pytest

import mmcodec
from mmcodec import Effort, EncodeSettings
from mmcodec.pipeline.sketching import SketchSearch
from mmcodec.pipeline.trials import Option


@pytest.mark.parametrize(
    ("settings", "shots", "sizes"),
    [
        (EncodeSettings(), 1, ()),
        (EncodeSettings(), 2, (1.6,)),
        (EncodeSettings(quality=30), 1, (1.6,)),
        (EncodeSettings(buffer_s=3), 1, (0.5, 2.0)),
        (EncodeSettings(effort=Effort.SLOW), 1, (0.5, 2.0)),
    ],
)
def test_no_sketch_is_tried_that_nothing_can_come_of(
    monkeypatch, make_clip, tmp_path, settings, shots, sizes
):
    """What a shot has no use for, others may take; where there is no other, nobody does."""
    asked = []
    monkeypatch.setattr(SketchSearch, "run", lambda _, sizes: asked.append(sizes))
    monkeypatch.setattr(SketchSearch, "options", lambda _: (Option(b"", 0.0),))
    monkeypatch.setattr(SketchSearch, "fill", lambda *_: None)
    mmcodec.encode(make_clip(shots=shots, sound=False), tmp_path / "a.mmc", settings)
    assert asked == [sizes] * shots

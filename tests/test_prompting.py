"""Words for models that make pictures."""

import numpy as np

from mmcodec.analysis.motion import CameraMotion
from mmcodec.synthesis.prompting import Words, words_for
from mmcodec.timeline import NO_SYNTHESIS, Cue, Prompt, Shot, Synthesis

BEACH = np.vstack([np.full((40, 64, 3), (126, 178, 230)), np.full((24, 64, 3), (194, 162, 112))])
STILL, PAN = CameraMotion(0.0, 0.0, 0.0), CameraMotion(-0.2, 0.01, 0.0)


def words(text, synthesis=NO_SYNTHESIS, **hints):
    return words_for(Cue(Shot(0, 10), Prompt(text), {}, synthesis), **hints)


def test_a_prompt_alone_stays_as_it_is():
    assert words("A dog runs.") == Words("A dog runs.", None)
    assert words("") == Words("", None)


def test_colours_that_the_prompt_does_not_name_are_added():
    beach = BEACH.astype(np.uint8)
    assert words("A dog", colours=beach).prompt == "A dog. Colours: sky blue and sand."
    assert words("Sand dunes.", colours=beach).prompt == "Sand dunes. Colour: sky blue."
    assert words("Sky blue over sand.", colours=beach).prompt == "Sky blue over sand."


def test_the_camera_is_said_once():
    assert words("A dog.", camera=PAN).prompt == "A dog. The camera pans left."
    assert words("A dog; the camera pans left.", camera=PAN).prompt.count("pans") == 1
    assert words("A dog.", camera=STILL).prompt == "A dog."
    assert words("A dog.", camera=CameraMotion(0.01, 0, -0.1)).prompt.endswith("zooms out.")


def test_style_and_negative_come_from_the_stream():
    made = words("A dog.", Synthesis(style="oil painting", negative="people"))
    assert made == Words("A dog. oil painting.", "people")

"""What models are asked, and how their answers are cleaned and made to fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.captioning.instructions import (
    cleaned,
    completed,
    fitted,
    picture_instruction,
    sound_instruction,
    tokens_within,
    words_within,
)
from mmcodec.entropy.text import encode_text
from mmcodec.timeline import SegmentKind

CAPTION = (
    "A man in a red jacket walks along a wet street at night. Neon signs light the scene in blue"
    " and pink; the camera follows him slowly from behind, handheld, cinematic film look. Rain"
    " falls softly on the pavement, and cars pass by in the background."
)


def cost(text):
    return len(encode_text(text))


def test_the_words_that_are_asked_for_need_about_the_budget():
    whole = cost(CAPTION)
    assert 0.7 < words_within(whole) / len(CAPTION.split()) < 1.3
    assert words_within(0) == words_within(3)
    assert words_within(10_000) == words_within(20_000)
    assert tokens_within(whole) > 1.5 * len(CAPTION.split())


def test_a_picture_is_asked_for_with_the_caption_before_it():
    asked = picture_instruction(60, "Anna, a woman in green, reads.", 3)
    for word in ("subject", "setting", "light", "camera", "style", "3 frames", "Anna"):
        assert word in asked
    assert f"{words_within(60)} words" in asked
    first = picture_instruction(60, pictures=1)
    assert "this picture" in first
    assert "before" not in first


def test_each_kind_of_sound_is_asked_for_in_its_way():
    asked = {kind: sound_instruction(kind, 60, "A piano.") for kind in SegmentKind}
    assert "voice" in asked[SegmentKind.SPEECH]
    assert "instruments" in asked[SegmentKind.MUSIC]
    assert "what makes it" in asked[SegmentKind.SOUND]
    assert all("A piano." in text and "words" in text for text in asked.values())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("A dog.", "A dog."),
        ("<think>Hm, a dog?</think>\n\nA dog.", "A dog."),
        ("A dog or a cat... a dog.</think>A dog.", "A dog."),
        ("<think>The frames show", ""),
        ("The image shows a **brown dog** on a `beach`.", "A brown dog on a beach."),
        ("In this video, we can see a dog.", "A dog."),
        ("These frames depict a dog.", "A dog."),
        ("This is a video of a dog.", "A dog."),
        ("The audio clip contains the sound of rain.", "The sound of rain."),
        ("Sure! Here is a description of the shot:\n\nA dog.", "A dog."),
        ("Caption: A dog.<|im_end|>", "A dog."),
        ("The video of the day is on.", "The video of the day is on."),
        ("# The shot\n\n- A dog\n- A cat\n", "The shot. A dog. A cat"),
        ("```text\nA dog.\n```", "A dog."),
        ("A [dog](http://example.com/a).", "A dog."),
        ('"A dog."', "A dog."),
        ("A sign reads “STOP”.", 'A sign reads "STOP".'),
        ("A file_name is 3 < 4 > 2.", "A file_name is 3 < 4 > 2."),
        ("A dog runs. A dog runs. A dog runs. It", "A dog runs. It"),
        ("\x1b[31mA\x00 dog\x07\u202e\ufffd\r\n runs.", "A dog runs."),
        ("A cafe\u0301.", "A café."),
        ("एक कुत्ता\u200d दौड़ता है।", "एक कुत्ता\u200d दौड़ता है।"),
        ("!!! ... ---", ""),
        ("\ufffd\ufffd\x00", ""),
        ("", ""),
    ],
)
def test_an_answer_is_cleaned(answer, text):
    assert cleaned(answer) == text


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(), max_size=200))
def test_what_is_cleaned_is_one_printable_line_or_nothing(answer):
    text = cleaned(answer)
    assert text == text.strip()
    assert "\n" not in text
    assert not text or any(map(str.isalnum, text))
    text.encode()


def test_a_text_that_fits_is_left_alone():
    assert fitted(CAPTION, cost(CAPTION)) == CAPTION
    assert fitted("", 10) == ""


def test_cuts_are_sentences_then_clauses_then_words():
    first = CAPTION.partition(". ")[0] + "."
    assert fitted(CAPTION, cost(first) + 4) == first
    clause = CAPTION.partition(", cinematic")[0] + "."
    assert fitted(CAPTION, cost(clause)) == clause
    words = "A man in a red jacket walks."
    assert fitted(CAPTION, cost(words)) == words
    assert fitted("A bird sits on top of the house and of the tree", 9).split()[-1] not in (
        "of.", "the.", "and.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        CAPTION,
        "一辆红色的汽车在海边的公路上行驶，阳光明媚。镜头缓慢地向右移动。",
        "Красная машина едет по дороге, светит солнце. Камера движется.",
        "x" * 300,
        "🐕" * 40,
        "A voice says “where are you going now, at this hour, without a coat and shoes?” softly.",
        "word " * 1000,
    ],
)
def test_cuts_are_within_the_budget_and_never_empty(text):
    for budget in (0, 1, 4, 12, 40):
        cut = fitted(text, budget)
        assert cut
        assert cost(cut) <= budget or len(cut) == 1
        assert cut.count("“") == cut.count("”")


def test_more_bytes_say_more():
    lengths = [len(fitted(CAPTION, budget)) for budget in range(3, 60, 6)]
    assert lengths == sorted(lengths)


def test_what_was_measured_is_added_if_there_is_room():
    measured = "Bright shot, sky blue over sand; the camera pans slowly right; nothing moves."
    assert completed("A dog runs", measured, 60) == f"A dog runs. {measured}"
    both = completed(CAPTION, measured, 45)
    assert both.endswith(f". {measured}")
    assert both.startswith("A man in a red jacket")
    assert cost(both) <= 45
    assert completed(CAPTION, measured, cost(measured)) == CAPTION

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcodec.entropy.gru import Network
from mmcodec.entropy.text import MAX_TEXT_BYTES, TEXT_CODER, decode_text, encode_text
from mmcodec.entropy.text_model import text_model
from mmcodec.entropy.text_neural import most_symbols
from mmcodec.errors import BitstreamError

CODERS = pytest.mark.parametrize("coder", [0, 1])
STREAM = [
    "A woman named Marta Kowalczyk walks through a flower market with a blue umbrella.",
    "Close-up of Marta Kowalczyk choosing tulips; the blue umbrella rests on her shoulder.",
    "Marta Kowalczyk pays the vendor and smiles.",
    "Человек в красной куртке стоит у окна.",
]
OTHER_SCRIPTS = {
    "Russian": ("Две собаки бегут по заснеженному полю за мячом.", 62),
    "Chinese": ("一只黑色的狗在雪地里奔跑。", 43),
    "Arabic": ("رجل يمشي في الشارع مع كلبه الصغير.", 50),
    "Greek": ("Ένας άντρας περπατά στην παραλία με τον σκύλο του.", 65),
    "Hindi": ("एक आदमी सड़क पर अपने कुत्ते के साथ चल रहा है।", 65),
}
"""A sentence, and the bytes that Brotli 1.2 takes at its best."""

# Codes of the format: a change of any of these is a new coder.
VECTORS = [
    ("A man rides a horse on the beach.", "08e2f8a0"),
    ("can you tell me what the weather is like today", "ba4e31cb40"),
    ("Dim shot, grey over dark grey; the camera pans slowly right; nothing moves.", "ceb3c2"),
    (
        "The café’s sign says “Привет, мир” in red.\n",
        "a3edab211cc2534347a4eb6d9d2a20beabb997a49d4787c39a70fe600863bdd86001ba",
    ),
    ("Hello! 👋🏽", "f7ecaeb40fb4bace5757"),
    ("x", "9059"),
    (
        "一只黑色的狗在雪地里奔跑。",
        "000418548a4f196a510c02d35e596f5cdb032adcb507655003898acad8a9d84482098a80",
    ),
]
IN_CONTEXT = "593c7207d6523fd567915ba4"
DEFLATED = "7304675f502e85842c482a1d180dc57a00"


@CODERS
@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_any_text_comes_back(coder, text):
    assert decode_text(encode_text(text, coder=coder), coder=coder) == text


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(max_size=60) | st.sampled_from(STREAM), max_size=5))
def test_any_text_comes_back_in_any_context(texts):
    *context, text = [*texts, "The end."]
    assert decode_text(encode_text(text, context), context) == text


@CODERS
@settings(deadline=None)
@given(data=st.binary(max_size=60))
def test_damaged_codes_raise_only_our_error(coder, data):
    with contextlib.suppress(BitstreamError):
        assert len(decode_text(data, coder=coder).encode()) <= MAX_TEXT_BYTES


@settings(max_examples=20, deadline=None)
@given(data=st.binary(max_size=30))
def test_damaged_codes_in_a_context_raise_only_our_error(data):
    with contextlib.suppress(BitstreamError):
        decode_text(data, STREAM)


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_prompt_is_soon_refused(seed):
    data = random.Random(seed).randbytes(500)
    decode_text(encode_text("warm"))
    start = time.process_time()
    with contextlib.suppress(BitstreamError):
        decode_text(data)
    assert time.process_time() - start < 3  # a second on an idle machine


def test_a_text_that_says_nothing_new_is_as_long_as_its_symbols_ask_for():
    text = 4 * "Dim shot, grey over dark grey; the camera pans slowly right; nothing moves. "
    code, symbols = encode_text(text, [text]), len(text_model().parts(text)) + 1
    assert most_symbols(len(code) - 1) < symbols <= most_symbols(len(code))
    assert decode_text(code, [text]) == text


def test_few_bytes_buy_little_work(monkeypatch):
    steps = []
    step = Network.step
    monkeypatch.setattr(Network, "step", lambda *given: steps.append(1) or step(*given))
    for seed in range(40):
        steps.clear()
        with contextlib.suppress(BitstreamError):
            decode_text(random.Random(seed).randbytes(2) + bytes(2))
        assert len(steps) <= most_symbols(4) == 48


@CODERS
def test_lengths_are_limited_both_ways(coder):
    with pytest.raises(ValueError, match="over"):
        encode_text("x" * (MAX_TEXT_BYTES + 1), coder=coder)
    longest = encode_text("x" * MAX_TEXT_BYTES, coder=coder)
    assert len(decode_text(longest, coder=coder)) == MAX_TEXT_BYTES


def test_a_deflate_bomb_is_refused():
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = bomb.compress(b"x" * 10_000_000) + bomb.flush()
    with pytest.raises(BitstreamError, match="too long"):
        decode_text(data, coder=0)


def test_unknown_coders_are_refused():
    with pytest.raises(ValueError, match="no text coder"):
        encode_text("x", coder=TEXT_CODER + 1)
    with pytest.raises(BitstreamError, match="no text coder"):
        decode_text(b"x", coder=-1)


@CODERS
def test_an_empty_text_is_no_bytes(coder):
    assert encode_text("", coder=coder) == b""
    assert decode_text(b"", coder=coder) == ""


def test_coder_0_is_still_read():
    code = bytes.fromhex(DEFLATED)
    assert decode_text(code, coder=0) == "A dog runs over the grass."


@pytest.mark.parametrize(("text", "code"), VECTORS)
def test_codes_never_change(text, code):
    assert encode_text(text).hex() == code
    assert decode_text(bytes.fromhex(code)) == text


def test_a_code_in_a_context_never_changes():
    assert encode_text(STREAM[2], STREAM[:2]).hex() == IN_CONTEXT
    assert decode_text(bytes.fromhex(IN_CONTEXT), STREAM[:2]) == STREAM[2]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("A man riding a wave on top of a surfboard.", 6),
        ("A dog barks while a man speaks", 5),
        ("can you tell me what the weather is like today", 8),
        ("Thank you very much. Have a great day!", 6),
        ("Dim shot, grey over dark grey; the camera pans slowly right; nothing moves.", 6),
        ("A low voice speaks steadily.", 5),
    ],
)
def test_prompts_cost_a_few_bytes(text, most):
    assert len(encode_text(text)) <= most


@pytest.mark.parametrize("language", OTHER_SCRIPTS)
def test_other_scripts_cost_less_than_brotli(language):
    text, brotli = OTHER_SCRIPTS[language]
    assert len(encode_text(text)) < 0.9 * brotli


def test_noise_costs_little_more_than_its_bytes():
    noise = "".join(random.Random(1).choices([chr(code) for code in range(33, 127)], k=300))
    assert len(encode_text(noise)) < 1.05 * len(noise)


def test_a_name_costs_less_the_second_time():
    assert len(encode_text(STREAM[1], STREAM[:1])) < 0.7 * len(encode_text(STREAM[1]))
    russian = STREAM[3]
    assert len(encode_text(russian, [russian])) < 0.6 * len(encode_text(russian))


def test_an_old_context_is_forgotten_and_costs_no_time():
    stream = [f"Shot {index}: {text}" for index in range(50) for text in STREAM]
    code = encode_text("The end.", stream)
    assert decode_text(code, stream) == "The end."


def test_many_empty_texts_are_no_context():
    assert decode_text(encode_text("Hello.", [""] * 5000), [""] * 5000) == "Hello."


def test_the_model_is_loaded_at_its_first_use():
    check = (
        "import mmcodec.entropy.text, mmcodec.entropy.text_model as model;"
        "assert model.text_model.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", check], check=True)

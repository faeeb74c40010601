"""What models are asked, and how their answers become prompts that fit a budget of bytes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

from mmcodec.entropy.text import encode_text
from mmcodec.timeline import SegmentKind

_BITS_A_CHARACTER = 1.5
"""What the text coder needs for a caption in English."""
_CHARACTERS_A_WORD = 6
_CHARACTERS_A_TOKEN = 3
_FEWEST_WORDS, _MOST_WORDS = 6, 150
_CHARACTERS_A_BYTE, _LOOKED_AT = 10, 40
"""Of a text longer than its budget can hold, however plain it is, the rest is not looked at."""
_CHARACTERS_A_SPACE = 20
"""A text with fewer spaces is of a script that does without them, and is cut anywhere."""
_WORTH = 0.5
"""Part of the longest cut that a cleaner one must have to be taken instead."""


def words_within(budget: int) -> int:
    """The words that a model is asked for, so that their code is about ``budget`` bytes."""
    words = int(8 * budget / _BITS_A_CHARACTER / _CHARACTERS_A_WORD)
    return min(max(words, _FEWEST_WORDS), _MOST_WORDS)


def tokens_within(budget: int) -> int:
    """Tokens that a model may generate: enough for what fits, and to end its sentence."""
    return words_within(budget) * _CHARACTERS_A_WORD // _CHARACTERS_A_TOKEN + 16


def picture_instruction(budget: int, before: str = "", pictures: int = 2) -> str:
    """What a model is asked of the frames of a shot; ``before`` is the last shot's caption."""
    seen = "this picture" if pictures == 1 else f"these {pictures} frames, in order, of one shot"
    context = (
        f' The shot before was described so: "{before}" Call the same people, things and places'
        " by the same names; do not repeat what is not seen any more."
        if before
        else ""
    )
    return (
        f"Describe {seen} for a text-to-video model that is to make it again.{context} Say in this"
        " order: the subject, how it looks and what it does; the setting; the light and the"
        " colours; the camera's framing and how it moves; the style. Say only what is seen."
        f" {_form(budget)}"
    )


def sound_instruction(kind: SegmentKind, budget: int, before: str = "") -> str:
    """What a model is asked of a segment of ``kind``; ``before`` is the last one's caption."""
    what = {
        SegmentKind.SPEECH: (
            "Describe the voice: man, woman or child, its pitch, mood, pace and accent, the room,"
            " and the sounds behind it. Do not write down the words"
        ),
        SegmentKind.MUSIC: (
            "Describe this music for a text-to-music model that is to make it again: genre, mood,"
            " instruments, tempo and rhythm, and how it is recorded"
        ),
    }.get(
        kind,
        "Describe this sound for a text-to-audio model that is to make it again: what makes it,"
        " what happens in which order, how near and how loud it is, and the place",
    )
    context = (
        f' Just before was heard: "{before}" Name the same things the same way.' if before else ""
    )
    return f"{what}.{context} {_form(budget)}"


def _form(budget: int) -> str:
    return (
        f"Use at most {words_within(budget)} words in one or two plain sentences, without a list,"
        " a heading or an introduction."
    )


def cleaned(answer: str) -> str:
    """A model's answer as one line of plain text; empty if it has neither letter nor digit.

    Without thoughts, markup, what introduces the description, sentences said twice, and
    characters that cannot be printed. “ and ” become ", as in prompts they mark what is said.
    """
    text = _unmarked(_without_thoughts(answer))
    text = text.translate({ord("“"): '"', ord("”"): '"', ord("„"): '"'})
    text = "".join(letter if _is_shown(letter) else " " for letter in text)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    text = _without_introduction(_unquoted(text))
    text = _each_once(text)
    return text if any(map(str.isalnum, text)) else ""


def _without_thoughts(answer: str) -> str:
    answer = re.sub(r"<think(ing)?>.*?</think(ing)?>", " ", answer, flags=re.S | re.I)
    # A template may open the thoughts, and a limit of tokens may leave them open.
    answer = re.split(r"</think(?:ing)?>", answer, flags=re.I)[-1]
    return re.split(r"<think(?:ing)?>", answer, maxsplit=1, flags=re.I)[0]


def _unmarked(text: str) -> str:
    """Without the marks of Markdown and the special tokens of models."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    text = re.sub(r"^\s*```\w*\s*$", " ", text, flags=re.M)
    # The lines of a list and a heading are sentences.
    text = re.sub(r"(?<=\w)[ \t]*\n(?=\s*\n|\s*(?:[-*+•#]|\d{1,2}[.)])\s)", ".\n", text)
    text = re.sub(r"</?\|?[\w|:.-]{1,40}\|?/?>", " ", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)\s]*\)", r"\1", text)
    text = re.sub(r"^\s*(#{1,6}|>|[-*+•]|\d{1,2}[.)])\s+", "", text, flags=re.M)
    text = re.sub(r"^\s*([-*_]\s*){3,}$", " ", text, flags=re.M)
    return re.sub(r"\*+|`+|(?<!\w)_+|_+(?!\w)", "", text)


def _is_shown(letter: str) -> bool:
    """Neither a control character nor what stands for a broken one; scripts need joiners."""
    return letter in "\u200c\u200d" or (
        unicodedata.category(letter)[0] != "C" and letter != "\ufffd"
    )


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    return inner.strip() if len(text) > 1 and text[0] == text[-1] == '"' != inner[:1] else text


_INTRODUCTION = re.compile(
    r"""(?:
    (?:sure|certainly|of\ course|okay|absolutely)\b[^.:!]{0,40}[.:!,]\s*
    | here(?:\ is|'s|\ are)\b[^.:]{0,80}:\s*
    | (?:caption|description|answer|prompt|assistant|video|image|audio)\s*:\s*
    | this\ is\ (?:an?|the)\ (?:image|picture|photo|photograph|video|clip|shot|recording)
      \ (?:of|with)\s+
    | (?:in\ )?(?:the|this|these)\ (?:\w+\ )?(?:image|picture|photo|photograph|video|clip|shot|scene
        |frame|audio|recording|sound|sequence)s?(?:\ clip)?,?\s+
      (?:(?:we\ (?:can\ )?(?:see|hear)|there\ (?:is|are)|clearly|mainly)\s+
        |(?:shows?|depicts?|features?|captures?|displays?|portrays?|presents?|contains?
          |is\ of|are\ of|opens\ with|begins\ with|consists\ of)\s+(?:us\s+)?)
    | (?:we|you|i)\ (?:can\ )?(?:see|hear)\s+
    )""",
    re.I | re.X,
)


def _without_introduction(text: str) -> str:
    while (found := _INTRODUCTION.match(text)) and len(text) > found.end():
        text = text[found.end() :]
        text = text[:1].upper() + text[1:]
    return text


def _each_once(text: str) -> str:
    """Without sentences that were said before: a small model that is at its end goes in circles."""
    kept: dict[str, str] = {}
    for sentence in _parts(_SENTENCE, text):
        kept.setdefault(sentence.strip().casefold(), sentence)
    return "".join(kept.values()).strip()


_SENTENCE = re.compile(r"[.!?…]+[\"”')\]]*(?=\s|$)|[。！？]+[”』」]*")
_CLAUSE = re.compile(rf"{_SENTENCE.pattern}|[,;:](?=\s)|\s[-–—](?=\s)|[，、；：]")
_WORD = re.compile(r"(?=\s)")
_LOOSE = re.compile(
    r"(?:\s+(?:an?|the|of|and|or|with|in|on|at|to|from|by|for|as|is|are|while|that|which|its|his"
    r"|her|their|into|over|under|very))+$",
    re.I,
)


def fitted(text: str, budget: int) -> str:
    """The longest clean cut of ``text`` whose code (``encode_text``) is within ``budget`` bytes.

    It ends with a sentence, or where that would leave less than half of what fits, with a clause,
    or else with a word. Of a text that is not empty at least one character is left, whatever it
    takes.
    """
    text = text.strip()
    if len(text) > (most := max(_CHARACTERS_A_BYTE * budget, _LOOKED_AT)):
        text = text[:most]
    elif not text or _fits(text, budget):
        return text
    words, longest = _ends(_WORD, text), ""
    if len(words) * _CHARACTERS_A_SPACE >= len(text):
        longest = _longest(text, words, _finished, budget)
    if not longest:
        longest = _longest(text, range(1, len(text)), str.strip, budget)
    for pattern, finish in ((_SENTENCE, str.strip), (_CLAUSE, _finished)):
        for end in reversed([end for end in _ends(pattern, text) if end <= len(longest)]):
            cut = finish(_closed(text[:end]))
            if len(cut) < _WORTH * len(longest):
                break
            if _fits(cut, budget):
                return cut
    return longest or text[0]


def completed(text: str, measured: str, budget: int) -> str:
    """``text`` and a sentence of what was measured, if that leaves ``text`` half of the budget."""
    over = len(encode_text(measured))
    room = budget - over
    while over > 0 and 2 * room >= budget:
        said = fitted(text, room)
        both = f"{said}{'' if said.endswith(('.', '!', '?')) else '.'} {measured}"
        over = len(encode_text(both)) - budget
        room -= over
    return text if over > 0 else both


def _longest(text: str, ends: Sequence[int], finish: Callable[[str], str], budget: int) -> str:
    """The longest of the cuts that fits; codes grow with their texts, almost always."""
    low, high, best = 0, len(ends), ""
    while low < high:
        middle = (low + high) // 2
        cut = finish(_closed(text[: ends[middle]]))
        if _fits(cut, budget):
            low, best = middle + 1, cut
        else:
            high = middle
    return best


def _finished(cut: str) -> str:
    """A cut within a sentence as one: without what asks to go on, and with a full stop."""
    bare = cut.rstrip(" ,;:-–—(")
    bare = _LOOSE.sub("", bare).rstrip(" ,;:-–—(") or bare
    return bare if not bare or bare[-1] in '.!?…。！？”"' else f"{bare}."


def _closed(cut: str) -> str:
    """With the quotation mark that was cut off: it tells what a voice says."""
    return f"{cut.rstrip()}”" if cut.count("“") > cut.count("”") else cut


def _fits(text: str, budget: int) -> bool:
    return len(encode_text(text)) <= budget


def _ends(pattern: re.Pattern[str], text: str) -> list[int]:
    """Where parts end, but for the last."""
    return [found.end() for found in pattern.finditer(text) if 0 < found.end() < len(text)]


def _parts(pattern: re.Pattern[str], text: str) -> list[str]:
    ends = [0, *_ends(pattern, text), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]

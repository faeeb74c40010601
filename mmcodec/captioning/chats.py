"""A question to a model that chats, and its answer, as text; for pictures and for sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def question(writer: Any, template: Any, kinds: Sequence[str], instruction: str) -> str:
    """An instruction about media of ``kinds`` ("image", "audio") in the words of a template.

    ``writer`` is the processor or the tokenizer that fills the template.
    """
    content: list[dict[str, str]] = [{"type": kind} for kind in kinds]
    turn = [{"role": "user", "content": [*content, {"type": "text", "text": instruction}]}]
    # Thoughts would take the room of the answer. Templates that do not know them warn.
    quick = {"enable_thinking": False} if "enable_thinking" in str(template) else {}
    text = writer.apply_chat_template(
        turn, chat_template=template, add_generation_prompt=True, tokenize=False, **quick
    )
    return str(text)


def continuation(tokenizer: Any, inputs: Any, output: Any) -> str:
    """What was generated after the question; both are token ids (1, n)."""
    said = output[0, inputs["input_ids"].shape[1] :]
    return str(tokenizer.decode(said, skip_special_tokens=True))

"""Captions shots with a model behind an OpenAI-compatible chat endpoint."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from mmcodec.analysis.picture import ShotAnalysis
from mmcodec.analysis.shots import ShotFrames
from mmcodec.captioning.frames import pictures_of
from mmcodec.captioning.instructions import cleaned, fitted, picture_instruction, tokens_within
from mmcodec.models.endpoint import Endpoint
from mmcodec.registry import ModelSettings
from mmcodec.timeline import Prompt

_MODEL = "gpt-4o-mini"
_JPEG_QUALITY = 85


class OpenAIChat:
    """A hosted model, or a server of one's own: vLLM, Ollama, llama.cpp.

    ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY`` say where. The frames of each shot, and the caption
    of the shot before, are sent there.
    """

    def __init__(self, settings: ModelSettings, endpoint: Endpoint | None = None) -> None:
        self._model = settings.model or _MODEL
        self._endpoint = endpoint or Endpoint()
        self._before = ""

    def caption(self, frames: ShotFrames, analysis: ShotAnalysis, budget: int) -> Prompt:
        """A caption from at most four frames of the shot.

        Raises:
            FailedWorkError: the server gave no answer to this shot in time.
            BackendError: there is no server, or it takes neither this key nor this model.
        """
        pictures = pictures_of(frames, analysis)
        instruction = picture_instruction(budget, self._before, len(pictures))
        content = [*map(_part, pictures), {"type": "text", "text": instruction}]
        messages = [{"role": "user", "content": content}]
        text = self._endpoint.chat(self._model, messages, tokens_within(budget), cleaned)
        self._before = fitted(text, budget)
        return Prompt(self._before)


def _part(picture: NDArray[np.uint8]) -> dict[str, object]:
    """A picture as a part of a message."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    url = f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}

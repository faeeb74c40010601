"""Write a page that shows a clip beside its decode, with prompts on a timeline and bytes by layer.

The page refers to the two media files where they are and needs no server: it opens from disk.

    python tools/demo_page.py clip.mp4 clip.mmc clip.decoded.mp4 -o demo.html
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import av
import cv2
import numpy as np
from numpy.typing import NDArray

import mmcodec

TEMPLATE = Path(__file__).with_name("demo_page.html")
THUMBNAIL_WIDTH = 240


def page_data(source: Path, stream_path: Path, decoded: Path, page: Path) -> dict[str, object]:
    """Everything that the page shows, in JSON types."""
    stream = mmcodec.probe(stream_path)
    cues = [cue_data(stream, packet.cue, packet.wire_bytes) for packet in stream.packets]
    shots = (p.cue.span for p in stream.packets if p.cue.track.name == "VIDEO")
    middles = [float(sum(stream.timeline.seconds(shot))) / 2 for shot in shots]
    strips = zip(thumbnails(source, middles), thumbnails(decoded, middles), strict=True)
    return {
        "version": mmcodec.__version__,
        "name": source.name,
        "source": relative_url(source, page),
        "decoded": relative_url(decoded, page),
        "sourceBytes": source.stat().st_size,
        "streamBytes": stream.bytes,
        "duration": stream.duration_s,
        "bitRate": stream.bit_rate,
        "microBitsPerPixel": stream.micro_bits_per_pixel,
        "layers": [[name, size] for name, size in stream.account.items()],
        "cues": cues,
        "strips": list(strips),
    }


def cue_data(stream: mmcodec.StreamInfo, cue: mmcodec.Cue, size: int) -> dict[str, object]:
    """One cue, in JSON types."""
    start, end = stream.timeline.seconds(cue.span)
    kind = getattr(cue.span, "kind", None)
    return {
        "track": cue.track.name.lower(),
        "kind": "shot" if kind is None else kind.name.lower(),
        "start": float(start),
        "end": float(end),
        "bytes": size,
        "prompt": cue.prompt.text,
    }


def relative_url(file: Path, page: Path) -> str:
    """How ``page`` refers to ``file``."""
    return quote(Path(os.path.relpath(file.resolve(), page.resolve().parent)).as_posix())


def thumbnails(file: Path, seconds: list[float]) -> Iterator[str]:
    """Data URLs of the frames at the given times, rising, in one pass."""
    wanted = iter(seconds)
    due = next(wanted, None)
    with av.open(file) as container:
        stream = next(iter(container.streams.video), None)
        for frame in container.decode(stream) if stream and due is not None else ():
            while due is not None and frame.time is not None and frame.time >= due:
                yield data_url(frame.to_ndarray(format="bgr24"))
                due = next(wanted, None)
            if due is None:
                return


def data_url(pixels: NDArray[np.generic]) -> str:
    """A small JPEG of a BGR picture."""
    height = round(THUMBNAIL_WIDTH * pixels.shape[0] / pixels.shape[1])
    small = cv2.resize(pixels, (THUMBNAIL_WIDTH, height), interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the clip that was encoded")
    parser.add_argument("stream", type=Path, help="its .mmc stream")
    parser.add_argument("decoded", type=Path, help="the decode of the stream")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo.html"))
    given = parser.parse_args()
    data = page_data(given.source, given.stream, given.decoded, given.output)
    text = json.dumps(data).replace("</", "<\\/")  # a prompt must not end the script element
    page = TEMPLATE.read_text(encoding="utf-8").replace("/*DATA*/null", text)
    given.output.write_text(page, encoding="utf-8")
    print(f"{given.output}: open it in a browser")


if __name__ == "__main__":
    main()

"""The conformance vectors in ``tests/vectors``: ``python tools/make_vectors.py [--write]``.

Without ``--write`` it only reports which files would change. The streams are in
``vector_streams.py`` (valid ones) and ``vector_defects.py`` (invalid ones). A valid one has the
fields that a reader must find beside it as JSON; ``invalid.json`` tells what is wrong with the
others, and how many cues a reader delivers before it notices.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path

from vector_defects import DEFECTS, Defect
from vector_streams import VECTORS, Vector

from mmcodec.bitstream.reader import StreamReader
from mmcodec.bitstream.syntax import StreamHeader
from mmcodec.errors import MMCodecError
from mmcodec.timeline import Cue, Segment, Synthesis

FOLDER = Path(__file__).parents[1] / "tests" / "vectors"
Fields = dict[str, object]


def header_fields(header: StreamHeader) -> Fields:
    """A header as it stands in the JSON."""
    video, audio = header.video, header.audio
    return {
        "video": video
        and {
            "width": video.width,
            "height": video.height,
            "frame_rate": str(video.frame_rate),
            "still": video.still,
        },
        "audio": audio and {"sample_rate": audio.sample_rate, "channels": audio.channels},
        "text_coder": header.text_coder,
        **synthesis_fields("video_synthesis", header.video_synthesis),
        **synthesis_fields("audio_synthesis", header.audio_synthesis),
    }


def cue_fields(cue: Cue) -> Fields:
    """A cue as it stands in the JSON."""
    kind = {"kind": cue.span.kind.name.lower()} if isinstance(cue.span, Segment) else {}
    layers = {layer.name.lower(): data.hex() for layer, data in cue.descriptors.items()}
    return {
        "track": cue.track.name.lower(),
        "start": cue.span.start,
        "end": cue.span.end,
        **kind,
        "prompt": cue.prompt.text,
        "descriptors": layers,
        **synthesis_fields("synthesis", cue.synthesis),
    }


def synthesis_fields(name: str, synthesis: Synthesis) -> Fields:
    """The parameters that are set, if any is, under ``name``."""
    values = {key: value for key, value in asdict(synthesis).items() if value is not None}
    return {name: values} if values else {}


def vector_fields(vector: Vector) -> Fields:
    """The JSON of a valid vector; ValueError where our own reader finds anything else."""
    reader = StreamReader(io.BytesIO(vector.data))
    cues = tuple(packet.cue for packet in reader.cues())
    if (reader.header, cues) != (vector.header, vector.cues):
        raise ValueError(f"the reader does not find what this holds: {vector.feature}")
    return {
        "feature": vector.feature,
        "reserialize": vector.reserialize,
        "header": header_fields(vector.header),
        "cues": [cue_fields(cue) for cue in vector.cues],
    }


def defect_fields(name: str, defect: Defect) -> Fields:
    """The JSON of an invalid vector; ValueError where our own reader does not refuse it so."""
    cues = 0
    try:
        for _ in StreamReader(io.BytesIO(defect.data)).cues():
            cues += 1
    except MMCodecError as error:
        if defect.words not in str(error):
            raise ValueError(f"{name}: {error}") from error
        return {"error": type(error).__name__, "words": defect.words, "cues_before": cues}
    raise ValueError(f"{name} was read without an error")


def all_files() -> dict[str, bytes]:
    """Every file of the folder, by name."""
    files: dict[str, bytes] = {}
    for name, vector in VECTORS.items():
        files[f"{name}.mmc"] = vector.data
        files[f"{name}.json"] = as_json(vector_fields(vector))
    invalid: Fields = {}
    for name, defect in DEFECTS.items():
        files[f"invalid-{name}.mmc"] = defect.data
        invalid[f"invalid-{name}"] = defect_fields(name, defect)
    files["invalid.json"] = as_json(invalid)
    return files


def as_json(fields: Fields) -> bytes:
    """Readable JSON with a line end."""
    return (json.dumps(fields, indent=1, ensure_ascii=False) + "\n").encode()


def changes(files: dict[str, bytes], folder: Path) -> dict[str, str]:
    """What is to do to ``folder`` so that it holds ``files``: "add", "change" or "remove"."""
    present = {file.name: file.read_bytes() for file in folder.glob("*.*")}
    todo = {name: "add" for name in files if name not in present}
    todo |= {name: "change" for name in files if name in present and files[name] != present[name]}
    return todo | {name: "remove" for name in present if name not in files}


def main() -> int:
    """Write or compare; 1 where the folder differs and was not written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files that differ")
    write = parser.parse_args().write
    files = all_files()
    todo = changes(files, FOLDER)
    for name, action in sorted(todo.items()):
        print(action, name)
        if write and action == "remove":
            (FOLDER / name).unlink()
        elif write:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_bytes(files[name])
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes, {len(todo)} differ")
    return 1 if todo and not write else 0


if __name__ == "__main__":
    sys.exit(main())

"""``mmcodec decode``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from mmcodec.cli.model_options import Batch, Compiled, Device, Dtype, Offload, backend_option
from mmcodec.cli.options import Force, Json, print_json, progress_bar, report_damage, say


def decode(
    source: Annotated[str, typer.Argument(help="A .mmc stream, or - for standard input.")],
    output: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(
            "--output",
            "-o",
            help="A .mp4, .mkv, .webm, .wav or .png to write (default: SOURCE.decoded.mp4); "
            "- pipes Matroska.",
        ),
    ] = None,
    start: Annotated[
        float, typer.Option("--start", min=0.0, help="Begin at this second of the stream.")
    ] = 0.0,
    end: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--end", min=0.0, help="Stop at this second (default: the end)."),
    ] = None,
    video: Annotated[str, backend_option("--video", "Makes the picture")] = "auto",
    audio: Annotated[str, backend_option("--audio", "Makes music and sounds")] = "auto",
    speech: Annotated[str, backend_option("--speech", "Makes speech")] = "auto",
    device: Device = None,
    dtype: Dtype = None,
    offload: Offload = False,
    batch: Batch = 1,
    compiled: Compiled = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on after a stop: what models had made is not made again."
        ),
    ] = False,
    print_hash: Annotated[
        bool, typer.Option("--hash", help="Print hashes of the decoded frames and samples.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Synthesize picture and sound from a .mmc stream.

    Damaged packets are concealed, and a stream that is cut short is decoded up to the cut; the
    exit code is then 3.

    Examples:

      mmcodec decode clip.mmc

      mmcodec decode note.mmc -o note.wav

      mmcodec decode clip.mmc --start 12 --end 20

      mmcodec decode clip.mmc --video diffusers --audio musicgen

      mmcodec decode clip.mmc --video keyframes:./my-image-model --hash

      mmcodec decode clip.mmc -o - | mpv -
    """
    import mmcodec
    from mmcodec.cli.tables import stream_values

    with progress_bar("decoding") as progress:
        settings = mmcodec.DecodeSettings(
            video_synthesizer=video,
            audio_synthesizer=audio,
            speech_synthesizer=speech,
            models=mmcodec.ModelSettings(
                device=device, dtype=dtype, offload=offload, batch=batch, compiled=compiled
            ),
            resume=resume,
            hashes=print_hash,
            start_s=start,
            end_s=end,
        )
        try:
            report = mmcodec.decode(source, output, settings, force=force, progress=progress)
        except KeyboardInterrupt:
            if {video, audio, speech} - {"auto", "offline"}:
                say("what models had made is kept: --resume goes on with it")
            raise
    for remark in report.remarks:
        say(remark)
    stream = report.stream
    if as_json and output != "-":
        values = {
            "output": report.target,
            "decoded_s": round(report.duration_s, 3),
            "elapsed_s": round(report.elapsed_s, 3),
            "speed": round(report.speed, 2),
            "remarks": list(report.remarks),
            **({"hashes": dict(report.hashes)} if report.hashes else {}),
        }
        print_json({**values, **stream_values(stream)})
    else:
        timing = f": {report.duration_s:.2f} s, {report.speed:.1f} x real time"
        say(f"{report.target}{'' if stream.is_still else timing}")
        for track, digest in (report.hashes or {}).items():
            typer.echo(f"{track} sha256:{digest}", err=output == "-")
    report_damage(source, stream)

"""``mmcodec encode``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mmcodec import Effort, Profile, Speech
from mmcodec.cli.model_options import (
    Device,
    Dtype,
    Offload,
    backend_option,
    hundredths,
    named,
    sent_option,
)
from mmcodec.cli.options import (
    Force,
    Json,
    Language,
    Text,
    bits_a_second,
    print_json,
    progress_bar,
    say,
    show,
)

if TYPE_CHECKING:
    from mmcodec import CodedPhotograph, EncodeReport, EncodeSettings


def encode(
    source: Annotated[str, typer.Argument(help="A media file, a URL, or - for standard input.")],
    output: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--output", "-o", help="The stream to write (default: SOURCE.mmc); - pipes."),
    ] = None,
    profile: Annotated[
        Profile,
        typer.Option(
            help="What goes beside the prompts: a sketch (2 kbit/s in all) or less (0.3)."
        ),
    ] = Profile.SKETCH,
    bitrate: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--bitrate",
            "-b",
            parser=bits_a_second,
            metavar="BIT/S",
            help="Of everything in the stream, such as 800 or 2.4k (default: 2k).",
        ),
    ] = None,
    most_bytes: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--bytes", min=1, metavar="N", help="Of everything, in place of a bit rate."),
    ] = None,
    quality: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, max=100, help="The same slope of quality throughout, not a bit rate."),
    ] = None,
    preset: Annotated[
        Effort, typer.Option(help="How long to search for the best sketches.")
    ] = Effort.DEFAULT,
    buffer: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            min=0.5,
            max=60,
            metavar="SECONDS",
            help="Write as it comes, for a receiver that buffers this long.",
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Write segments and playlists into the folder -o as it comes."),
    ] = False,
    rates: Annotated[
        str,
        typer.Option(
            metavar="RATES", help="Of --live: bit rates, and prompt, such as prompt,1k,2k,4k."
        ),
    ] = "2k",
    latency: Annotated[
        float,
        typer.Option(
            min=1.6, max=10, metavar="SECONDS", help="Of --live: the longest shot and segment."
        ),
    ] = 4.0,
    window: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="Of --live: what is kept to go back; 0 keeps all."
        ),
    ] = 60.0,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Leave the sound out.")] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="Leave the picture out.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Encode what is there of a file that is cut short.")
    ] = False,
    captioner: Annotated[str, backend_option("--captioner", "Describes shots")] = "auto",
    sound_captioner: Annotated[
        str, backend_option("--sound-captioner", "Describes sounds and music")
    ] = "auto",
    transcriber: Annotated[
        str, backend_option("--transcriber", "Writes down speech, or none")
    ] = "auto",
    speech: Annotated[
        Speech,
        typer.Option(
            help="How speech is sent: as text that a voice reads, by the vocoder as it sounds, or "
            "as text where the words are sure."
        ),
    ] = Speech.AUTO,
    sound_bitrate: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--sound-bitrate",
            min=80,
            max=24_000,
            metavar="BIT/S",
            help="For what is sent as it sounds (default: a quarter of all, or 80 in the prompt "
            "profile).",
        ),
    ] = None,
    text: Text = None,
    subtitles: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILE", help="Subtitles of what is said (SRT, WebVTT, ASS, ...)."),
    ] = None,
    language: Language = None,
    prompt_bytes: Annotated[
        int, typer.Option(min=4, max=4000, help="Bytes that a prompt may take, more or less.")
    ] = 60,
    device: Device = None,
    dtype: Dtype = None,
    offload: Offload = False,
    made_for: Annotated[
        Optional[str],  # noqa: UP045
        backend_option("--made-for", "The video synthesizer that decoders should take"),
    ] = None,
    made_for_sound: Annotated[
        Optional[str],  # noqa: UP045
        backend_option("--made-for-sound", "The audio synthesizer that decoders should take"),
    ] = None,
    seed: Annotated[Optional[int], sent_option("Seed of random numbers.", 2**32 - 1)] = None,  # noqa: UP045
    steps: Annotated[Optional[int], sent_option("Steps of a diffusion model.", 1000, 1)] = None,  # noqa: UP045
    guidance: Annotated[Optional[float], sent_option("Guidance scale.", 100)] = None,  # noqa: UP045
    strength: Annotated[
        Optional[float],  # noqa: UP045
        sent_option("How far a model may go from the sketch: 0 keeps it, 1 ignores it.", 1),
    ] = None,
    style: Annotated[
        Optional[str],  # noqa: UP045
        sent_option("A prompt beside those of all shots, such as: film noir."),
    ] = None,
    negative: Annotated[Optional[str], sent_option("What should not be in the picture.")] = None,  # noqa: UP045
    sound_style: Annotated[
        Optional[str],  # noqa: UP045
        sent_option("A prompt beside those of all sounds, such as: lo-fi."),
    ] = None,
    sound_negative: Annotated[
        Optional[str],  # noqa: UP045
        sent_option("What should not be in the sound."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Encode a clip, a sound file or a photograph as a .mmc stream.

    Examples:

      mmcodec encode clip.mp4

      mmcodec encode clip.mp4 --bitrate 1k --preset slow

      mmcodec encode photo.jpg --bytes 500

      mmcodec encode talk.wav -o talk.mmc --profile prompt

      mmcodec encode note.wav --text "I am on the four o'clock train."

      mmcodec encode talk.mp4 --subtitles talk.srt

      mmcodec encode note.wav --speech vocoder --sound-bitrate 1200

      mmcodec encode clip.mp4 --captioner vision-language --transcriber whisper

      mmcodec encode clip.mp4 --made-for diffusers --seed 7 --style "film noir"

      mmcodec encode rtsp://camera --live -o site/camera/ --rates 1k,2k

      ffmpeg -i rtsp://camera -f matroska - | mmcodec encode - -o camera.mmc --buffer 4
    """
    import mmcodec
    from mmcodec.cli.tables import encode_table, encode_values, photograph_table

    video_synthesis = mmcodec.Synthesis(
        *named(made_for),
        seed,
        steps,
        hundredths(guidance),
        hundredths(strength),
        style,
        negative,
    )
    settings = mmcodec.EncodeSettings(
        profile,
        bit_rate=bitrate,
        most_bytes=most_bytes,
        quality=quality,
        effort=preset,
        buffer_s=buffer,
        video=not no_video,
        audio=not no_audio,
        partial=partial,
        captioner=captioner,
        sound_captioner=sound_captioner,
        transcriber=transcriber,
        speech=speech,
        sound_bit_rate=sound_bitrate,
        text=text,
        subtitles=subtitles,
        language=language,
        models=mmcodec.ModelSettings(device=device, dtype=dtype, offload=offload),
        prompt_bytes=prompt_bytes,
        video_synthesis=video_synthesis,
        audio_synthesis=mmcodec.Synthesis(
            *named(made_for_sound), seed, style=sound_style, negative=sound_negative
        ),
    )
    if live:
        _live(source, output, settings, (rates, latency, window), force, as_json)
        return
    with progress_bar("encoding") as progress:
        report = mmcodec.encode(source, output, settings, force=force, progress=progress)
    for remark in report.remarks:
        say(remark)
    if report.damaged_packets:
        say(f"{source}: {report.damaged_packets} damaged packets were skipped")
    compared = _compared(source, report) if report.stream.is_still and output != "-" else ()
    if as_json and output != "-":
        print_json(encode_values(report, compared))
        return
    show(encode_table(report), stderr=output == "-")
    if compared:
        show(photograph_table(report, compared))


def _live(
    source: str,
    output: str | None,
    settings: EncodeSettings,
    options: tuple[str, float, float],
    force: bool,
    as_json: bool,
) -> None:
    """Publish a source as it comes."""
    import mmcodec

    if output is None:
        raise typer.BadParameter("--live needs a folder to write into (-o)")
    if settings.bit_rate or settings.most_bytes or settings.quality is not None:
        raise typer.BadParameter("--live takes --rates, not a bit rate, bytes or quality")
    names, latency, window = options
    rates = tuple(
        one if one == "prompt" else bits_a_second(one)
        for one in (name.strip() for name in names.split(","))
    )
    live = mmcodec.LiveSettings(rates, latency, window)
    with progress_bar("encoding") as progress:
        report = mmcodec.encode_live(source, output, settings, live, force=force, progress=progress)
    for remark in report.remarks:
        say(remark)
    if as_json:
        print_json({"playlist": report.playlist, "bytes": report.segments_bytes,
                    "duration_s": round(report.duration_s, 3)})  # fmt: skip
    else:
        say(f"{report.playlist}: {report.segments_bytes} bytes, {report.duration_s:.2f} s")


def _compared(source: str, report: EncodeReport) -> Sequence[CodedPhotograph]:
    """A photograph beside other codecs, where its source can be read again."""
    import mmcodec

    if not Path(source).is_file():
        return ()
    with Path(report.target).open("rb") as stream:
        return mmcodec.compare_photograph(source, stream)

"""AudioGen (Kreuk et al., 2022) as audiocraft saves it, carried into the classes of MusicGen.

The two are the same network under other names, so nothing is lost. audiocraft keeps the language
model in ``state_dict.bin`` and the codec in ``compression_state_dict.bin``: pickles, of which only
numbers and text are read. The text encoder is not in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log2
from pathlib import Path
from typing import Any

from mmcodec.errors import BackendError
from mmcodec.models.audiocraft_file import AudiocraftFile, read
from mmcodec.models.cache import is_hub_id
from mmcodec.models.loading import load_part, load_weights
from mmcodec.models.placement import Placement, explained

_NAME = "audiogen"
LANGUAGE_FILE, CODEC_FILE = "state_dict.bin", "compression_state_dict.bin"
TEXT_ENCODER_FOLDER = "text_encoder"
_LM, _SEANET = "transformer_lm", "seanet"
_PROJECTION = "condition_provider.conditioners.description.output_proj."
_LANGUAGE_NAMES = (
    ("emb.", "model.decoder.embed_tokens."),
    ("transformer.", "model.decoder."),
    ("cross_attention", "encoder_attn"),
    ("linear1", "fc1"),
    ("linear2", "fc2"),
    ("norm1", "self_attn_layer_norm"),
    ("norm_cross", "encoder_attn_layer_norm"),
    ("norm2", "final_layer_norm"),
    ("out_norm", "model.decoder.layer_norm"),
    ("linears", "lm_heads"),
)
_CODEC_NAMES = (
    ("encoder.model.", "encoder.layers."),
    ("decoder.model.", "decoder.layers."),
    ("conv.conv.", "conv."),
    ("convtr.convtr.", "conv."),
    ("quantizer.vq.layers", "quantizer.layers"),
    ("_codebook", "codebook"),
)
_WEIGHT_NORM = (
    ("weight_g", "parametrizations.weight.original0"),
    ("weight_v", "parametrizations.weight.original1"),
)
"""How older and newer versions of PyTorch name the two parts of a normalised weight."""

_TOP_K = 250
"""Codes that audiocraft samples from."""

# What a checkpoint must have been made with; the classes that it is carried into do only this.
_LANGUAGE_MUST = {
    "codebooks_pattern.modeling": "delay",
    "conditioners.description.model": "t5",
    "fuser.cross": ["description"],
    "fuser.cross_attention_pos_emb": False,
    "fuser.sum": [],
    "fuser.prepend": [],
    f"{_LM}.norm_first": True,
    f"{_LM}.positional_embedding": "sin",
    f"{_LM}.bias_ff": False,
    f"{_LM}.bias_attn": False,
    f"{_LM}.bias_proj": False,
}
_CODEC_MUST = {
    "encodec.autoencoder": "seanet",
    "encodec.quantizer": "rvq",
    "encodec.channels": 1,
    f"{_SEANET}.activation": "ELU",
    f"{_SEANET}.disable_norm_outer_blocks": 0,
    f"{_SEANET}.decoder.final_activation": None,
}


def is_audiocraft(folder: Path) -> bool:
    """Whether a folder holds a model as audiocraft saves it, not yet converted."""
    return (folder / LANGUAGE_FILE).is_file() and not (folder / "config.json").is_file()


def convert(source: Path, target: Path, text_encoder: str | None = None) -> None:
    """Write the model in ``source``, in audiocraft's layout, to ``target`` as safetensors.

    The T5 that reads the prompts is ``text_encoder``, a folder or a hub id that is on this machine;
    else the folder ``text_encoder`` in ``source``, else the one that the checkpoint names. The
    weights keep their arithmetic.

    Raises:
        BackendError: a file is missing, damaged or has code in it, or the model is of another
            kind, or its text encoder is not here.
    """
    with explained(_NAME, str(source), "load"):
        language, codec = read(source / LANGUAGE_FILE), read(source / CODEC_FILE)
        language.must(_LANGUAGE_MUST)
        codec.must(_CODEC_MUST)
    reader = _reader(language, source, text_encoder)
    with explained(_NAME, reader.model, "load"):
        from transformers import AutoTokenizer, T5EncoderModel

        tokenizer = load_part(AutoTokenizer, reader)
        encoder = load_weights(T5EncoderModel, reader)
    with explained(_NAME, str(source), "load"):
        from transformers import EncodecFeatureExtractor, MusicgenProcessor

        model = _model(encoder, language, codec)
        model.save_pretrained(target)
        rate = model.config.audio_encoder.sampling_rate
        extractor = EncodecFeatureExtractor(sampling_rate=rate)
        MusicgenProcessor(extractor, tokenizer).save_pretrained(target)


def _reader(language: AudiocraftFile, source: Path, text_encoder: str | None) -> Placement:
    """Where the text encoder is; a checkpoint may name one of the hub, but no path."""
    import torch

    folder = source / TEXT_ENCODER_FOLDER
    if text_encoder is None and folder.is_dir():
        text_encoder = str(folder)
    if text_encoder is None:
        named = language.text("conditioners.description.t5.name")
        text_encoder = named if "/" in named else f"google-t5/{named}"
        if not is_hub_id(text_encoder):
            raise BackendError(
                f"{_NAME}: {source} names the text encoder {named!r}; put it into {folder}"
            )
    return Placement(text_encoder, None, "cpu", torch.float32, offload=False)


def _model(encoder: Any, language: AudiocraftFile, codec: AudiocraftFile) -> Any:
    from transformers import MusicgenConfig, MusicgenForConditionalGeneration

    decoder, audio = _empty_decoder(language), _empty_codec(codec)
    parts = (encoder.config, audio.config, decoder.config)
    names = ("text_encoder", "audio_encoder", "decoder")
    config = MusicgenConfig(**{n: part.to_dict() for n, part in zip(names, parts, strict=True)})
    model = MusicgenForConditionalGeneration(
        config, text_encoder=encoder, audio_encoder=audio, decoder=decoder
    )
    if not hasattr(model, "enc_to_dec_proj"):
        raise BackendError(f"{language.path}: its text encoder is as wide as the model itself")
    weights = {
        key.removeprefix(_PROJECTION): value
        for key, value in language.weights.items()
        if key.startswith(_PROJECTION)
    }
    # Only now: putting the parts together gives new weights to those that were not loaded.
    _fill(model.enc_to_dec_proj, weights, language)
    _fill(model.decoder, _language_weights(language), language)
    _fill(model.audio_encoder, _codec_weights(codec, model.audio_encoder), codec)
    told, start = model.generation_config, decoder.config.vocab_size
    told.decoder_start_token_id = told.pad_token_id = told.bos_token_id = start
    told.guidance_scale, told.do_sample, told.max_length = 3.0, True, None
    told.top_k = _TOP_K
    return model.eval()


def _empty_decoder(language: AudiocraftFile) -> Any:
    """The language model over the codec's codes, without weights."""
    import torch
    from transformers import MusicgenDecoderConfig, MusicgenForCausalLM

    card, width = language.count(f"{_LM}.card"), language.count(f"{_LM}.dim")
    books = language.count(f"{_LM}.n_q")
    language.must({"codebooks_pattern.delay.delays": list(range(books))})
    config = MusicgenDecoderConfig(
        vocab_size=card,
        hidden_size=width,
        num_hidden_layers=language.count(f"{_LM}.num_layers"),
        num_attention_heads=language.count(f"{_LM}.num_heads"),
        ffn_dim=width * language.count(f"{_LM}.hidden_scale"),
        num_codebooks=books,
        activation_function=language.text(f"{_LM}.activation"),
        audio_channels=1,
        pad_token_id=card,
        bos_token_id=card,
    )
    with torch.device("meta"):  # random weights of this size would take a minute
        return MusicgenForCausalLM(config)


def _language_weights(language: AudiocraftFile) -> dict[str, Any]:
    weights = {}
    for key, value in language.weights.items():
        if key.startswith("condition_provider."):
            continue
        name = _renamed(key, _LANGUAGE_NAMES)
        if name.endswith("in_proj_weight"):  # one matrix for three
            for letter, part in zip("qkv", value.chunk(3), strict=True):
                name_of_part = name.replace("in_proj_weight", f"{letter}_proj.weight")
                weights[name_of_part] = part.contiguous()
        else:
            weights[name] = value
    return weights


def _empty_codec(codec: AudiocraftFile) -> Any:
    """EnCodec (Défossez et al., 2022) with random weights."""
    from transformers import EncodecConfig, EncodecModel

    ratios = codec.counts(f"{_SEANET}.ratios")
    rate, size = codec.count("encodec.sample_rate"), codec.count("rvq.bins")
    width = codec.count(f"{_SEANET}.dimension")
    frame_rate = rate
    for ratio in ratios:
        frame_rate = ceil(frame_rate / ratio)
    bits = codec.count("rvq.n_q") * frame_rate * ceil(log2(size))
    config = EncodecConfig(
        # The number of codebooks follows from it by rounding down.
        target_bandwidths=[bits / 1000 * (1 + 1e-9)],
        sampling_rate=rate,
        audio_channels=1,
        normalize=codec.flag("encodec.renormalize"),
        hidden_size=width,
        codebook_dim=width,
        codebook_size=size,
        num_filters=codec.count(f"{_SEANET}.n_filters"),
        num_residual_layers=codec.count(f"{_SEANET}.n_residual_layers"),
        upsampling_ratios=ratios,
        norm_type=codec.text(f"{_SEANET}.norm"),
        kernel_size=codec.count(f"{_SEANET}.kernel_size"),
        last_kernel_size=codec.count(f"{_SEANET}.last_kernel_size"),
        residual_kernel_size=codec.count(f"{_SEANET}.residual_kernel_size"),
        dilation_growth_rate=codec.count(f"{_SEANET}.dilation_base"),
        use_causal_conv=codec.flag(f"{_SEANET}.causal"),
        pad_mode=codec.text(f"{_SEANET}.pad_mode"),
        compress=codec.count(f"{_SEANET}.compress"),
        num_lstm_layers=codec.count(f"{_SEANET}.lstm"),
        trim_right_ratio=codec.number(f"{_SEANET}.decoder.trim_right_ratio"),
        use_conv_shortcut=not codec.flag(f"{_SEANET}.true_skip"),
    )
    return EncodecModel(config)


def _codec_weights(codec: AudiocraftFile, model: Any) -> dict[str, Any]:
    wanted = model.state_dict().keys()
    weights = {}
    for key, value in codec.weights.items():
        name = _renamed(key, _CODEC_NAMES)
        newer = _renamed(name, _WEIGHT_NORM)
        weights[newer if newer in wanted else name] = value
    return weights


def _renamed(key: str, names: tuple[tuple[str, str], ...]) -> str:
    for old, new in names:
        key = key.replace(old, new)
    return key


def _fill(model: Any, weights: Mapping[str, Any], file: AudiocraftFile) -> None:
    """Give a model all of its weights, and nothing else."""
    wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in weights.items()}
    for key in sorted(wanted.keys() | given.keys()):
        if wanted.get(key) != given.get(key):
            line = f"{key} is {given.get(key, 'missing')}, not {wanted.get(key, 'in the model')}"
            raise BackendError(f"{file.path} does not fit its own settings: {line}")
    model.load_state_dict(weights, assign=True)

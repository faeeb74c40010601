"""Models of real size with random weights, saved as folders: what their speed and memory need.

The configurations are those of the released checkpoints: Wan 2.1 1.3B, SDXL-Turbo, MusicGen-small,
Whisper large-v3-turbo. Tokenizers know letters only. Wan's text encoder, which runs once a clip,
has one layer in place of 24. ``small`` makes each tiny, to try the tool where there is no GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import diffusers
import torch
import transformers

Builder = Callable[[Path, bool], None]


def wan(folder: Path, small: bool) -> None:
    """Wan 2.1 T2V 1.3B."""
    heads, layers, feed, width, base = (2, 2, 32, 32, 3) if small else (12, 30, 8960, 4096, 96)
    tokenizer = _t5_tokenizer(512)
    words = transformers.UMT5Config(
        vocab_size=len(tokenizer), d_model=width, d_ff=10240 if not small else 37,
        d_kv=64 if not small else 8, num_heads=64 if not small else 4, num_layers=1,
        is_encoder_decoder=False,
    )  # fmt: skip
    stages = [1, 1, 1, 1] if small else [1, 2, 4, 4]
    pipeline = diffusers.WanPipeline(
        tokenizer=tokenizer,
        text_encoder=transformers.UMT5EncoderModel(words),
        vae=diffusers.AutoencoderKLWan(
            base_dim=base, z_dim=16, dim_mult=stages, num_res_blocks=1 if small else 2,
            temperal_downsample=[False, True, True],
        ),
        transformer=diffusers.WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=heads,
            attention_head_dim=12 if small else 128, in_channels=16, out_channels=16,
            text_dim=width, freq_dim=256, ffn_dim=feed, num_layers=layers, cross_attn_norm=True,
            qk_norm="rms_norm_across_heads", rope_max_seq_len=1024,
        ),
        transformer_2=None,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )  # fmt: skip
    _save(pipeline, folder)


def sdxl_turbo(folder: Path, small: bool) -> None:
    """SDXL-Turbo; its scheduler says that it is made for few steps."""
    channels = (32, 64) if small else (320, 640, 1280)
    down = ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * (len(channels) - 1)
    up = ["CrossAttnUpBlock2D"] * (len(channels) - 1) + ["UpBlock2D"]
    tokenizer = _clip_tokenizer()
    first = _clip(tokenizer, 32, 37, 1, 4) if small else _clip(tokenizer, 768, 3072, 12, 12)
    second = _clip(tokenizer, 32, 37, 1, 4) if small else _clip(tokenizer, 1280, 5120, 32, 20)
    pooled, time = second.projection_dim, 8 if small else 256
    pipeline = diffusers.StableDiffusionXLPipeline(
        unet=diffusers.UNet2DConditionModel(
            sample_size=32 if small else 64, block_out_channels=channels, down_block_types=down,
            up_block_types=up, layers_per_block=1 if small else 2,
            attention_head_dim=(2, 4) if small else (5, 10, 20),
            transformer_layers_per_block=(1, 1) if small else (1, 2, 10),
            norm_num_groups=8 if small else 32, use_linear_projection=True,
            addition_embed_type="text_time", addition_time_embed_dim=time,
            projection_class_embeddings_input_dim=pooled + 6 * time,
            cross_attention_dim=first.hidden_size + second.hidden_size,
        ),
        vae=diffusers.AutoencoderKL(
            block_out_channels=(16, 16) if small else (128, 256, 512, 512),
            down_block_types=["DownEncoderBlock2D"] * (2 if small else 4),
            up_block_types=["UpDecoderBlock2D"] * (2 if small else 4),
            layers_per_block=1 if small else 2, latent_channels=4,
            norm_num_groups=8 if small else 32, force_upcast=False,
        ),
        text_encoder=transformers.CLIPTextModel(first),
        text_encoder_2=transformers.CLIPTextModelWithProjection(second),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        scheduler=diffusers.EulerAncestralDiscreteScheduler(timestep_spacing="trailing"),
        add_watermarker=False,
    )  # fmt: skip
    _save(pipeline, folder)


def musicgen(folder: Path, small: bool) -> None:
    """MusicGen-small at 32 kHz."""
    tokenizer = _t5_tokenizer(512)
    width, layers, heads, feed = (32, 1, 4, 37) if small else (768, 12, 12, 3072)
    words = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=width, d_ff=feed, d_kv=64, num_heads=heads,
        num_layers=layers,
    )  # fmt: skip
    codec = transformers.EncodecConfig(
        sampling_rate=32_000, num_filters=4 if small else 64, hidden_size=128,
        codebook_size=2048, codebook_dim=128, upsampling_ratios=[8, 5, 4, 4],
        target_bandwidths=[2.2], use_causal_conv=False, chunk_length_s=None,
    )  # fmt: skip
    width, layers, heads, feed = (16, 2, 2, 32) if small else (1024, 24, 16, 4096)
    decoder = transformers.MusicgenDecoderConfig(
        vocab_size=2048, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        ffn_dim=feed, num_codebooks=4, audio_channels=1, pad_token_id=2048, bos_token_id=2048,
    )  # fmt: skip
    model = transformers.MusicgenForConditionalGeneration(
        transformers.MusicgenConfig(
            text_encoder=words.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict()
        )
    )
    told = model.generation_config
    told.decoder_start_token_id = told.pad_token_id = told.bos_token_id = 2048
    told.guidance_scale, told.max_length = 3.0, None
    _save(model, folder)
    extractor = transformers.EncodecFeatureExtractor(sampling_rate=32_000)
    transformers.MusicgenProcessor(extractor, tokenizer).save_pretrained(folder)


def whisper(folder: Path, small: bool) -> None:
    """Whisper large-v3-turbo, that says 128 tokens to each half minute, as people do.

    Left to itself, a network with random weights would not stop.
    """
    marks = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|translate|>"]
    marks += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    letters = [*ascii_lowercase, "Ġ"]
    tokenizer = transformers.WhisperTokenizer(
        vocab={token: at for at, token in enumerate([*letters, *marks])}, merges=[],
        language="en", task="transcribe", bos_token=marks[0], eos_token=marks[0],
        unk_token=marks[0], pad_token=marks[0],
    )  # fmt: skip
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    tokenizer.add_tokens([f"<|{step * 0.02:.2f}|>" for step in range(1501)])
    mark = {name: tokenizer.convert_tokens_to_ids(name) for name in marks}
    end, size, known = mark[marks[0]], 51_866, len(tokenizer)
    width, layers, heads, feed = (16, 1, 2, 16) if small else (1280, 32, 20, 5120)
    model = transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=size, num_mel_bins=128, d_model=width, encoder_layers=layers,
            decoder_layers=min(layers, 4), encoder_attention_heads=heads,
            decoder_attention_heads=heads, encoder_ffn_dim=feed, decoder_ffn_dim=feed,
            bos_token_id=end, eos_token_id=end, pad_token_id=end,
            decoder_start_token_id=mark["<|startoftranscript|>"],
        )
    )  # fmt: skip
    told = model.generation_config
    told._from_model_config = False  # or loading makes it anew and forgets the languages
    told.no_timestamps_token_id = mark["<|notimestamps|>"]
    told.lang_to_id = {"<|en|>": mark["<|en|>"]}
    told.task_to_id = {"transcribe": mark["<|transcribe|>"], "translate": mark["<|translate|>"]}
    told.is_multilingual, told.max_length, told.alignment_heads = True, 128, [[0, 0]]
    told.max_initial_timestamp_index = 50
    told.suppress_tokens, told.begin_suppress_tokens = [*range(known, size)], []
    _save(model, folder)
    extractor = transformers.WhisperFeatureExtractor(feature_size=128)
    transformers.WhisperProcessor(extractor, tokenizer).save_pretrained(folder)


BUILDERS: Mapping[str, Builder] = {
    "wan": wan, "sdxl-turbo": sdxl_turbo, "musicgen": musicgen, "whisper": whisper
}  # fmt: skip


def _save(model: Any, folder: Path) -> None:
    (model.to(torch.bfloat16) if hasattr(model, "to") else model).save_pretrained(folder)


def _clip(tokenizer: Any, width: int, feed: int, layers: int, heads: int) -> Any:
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    return transformers.CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=feed,
        num_hidden_layers=layers, num_attention_heads=heads, projection_dim=width,
        bos_token_id=end - 1, eos_token_id=end,
    )  # fmt: skip


def _t5_tokenizer(longest: int) -> Any:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    pieces += [(letter, -3.0) for letter in ascii_lowercase + ".,"]
    return transformers.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=longest)


def _clip_tokenizer() -> Any:
    letters = [*ascii_lowercase, *".,"]
    tokens = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)

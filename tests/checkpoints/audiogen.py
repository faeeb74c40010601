"""AudioGen with random weights: in transformers' classes, and the same in audiocraft's layout."""

import json
from pathlib import Path

import torch
import transformers

from checkpoints.tokenizers import t5_encoder, t5_tokenizer

# As audiocraft names what transformers calls by the first word.
_LANGUAGE_NAMES = {
    "decoder.model.decoder.embed_tokens.": "emb.",
    "decoder.model.decoder.layer_norm.": "out_norm.",
    "decoder.model.decoder.": "transformer.",
    "decoder.lm_heads.": "linears.",
    "encoder_attn_layer_norm": "norm_cross",
    "self_attn_layer_norm": "norm1",
    "final_layer_norm": "norm2",
    "encoder_attn": "cross_attention",
    "fc1": "linear1",
    "fc2": "linear2",
    "enc_to_dec_proj.": "condition_provider.conditioners.description.output_proj.",
}
LANGUAGE_SETTINGS = {
    "n_books": 4,
    "lm_model": "transformer_lm",
    "dataset": {"segment_duration": 10},
    "transformer_lm": {
        "n_q": "${n_books}", "card": 64, "dim": 16, "num_heads": 2, "num_layers": 2,
        "hidden_scale": 2, "bias_ff": False, "bias_attn": False, "bias_proj": False,
        "norm_first": True, "positional_embedding": "sin", "activation": "gelu", "causal": True,
        "memory_efficient": True, "attention_as_float32": False, "cross_attention": True,
        "layer_scale": None, "qk_layer_norm": False, "norm": "layer_norm", "dropout": 0.0,
        "custom": False, "past_context": None, "two_step_cfg": False, "q_modeling": None,
        "weight_init": "gaussian", "depthwise_init": "current", "zero_bias_init": True,
        "emb_lr": None,
    },
    "codebooks_pattern": {
        "modeling": "delay",
        "delay": {"delays": [0, 1, 2, 3], "flatten_first": 0, "empty_initial": 0},
    },
    "attribute_dropout": {},
    "classifier_free_guidance": {"training_dropout": 0.1, "inference_coef": 3.0},
    "fuser": {
        "sum": [], "prepend": [], "cross": ["description"], "input_interpolate": [],
        "cross_attention_pos_emb": False, "cross_attention_pos_emb_scale": 1,
    },
    "conditioners": {
        "description": {
            "model": "t5",
            "t5": {
                "name": "t5-large", "finetune": False, "word_dropout": 0.0,
                "normalize_text": False,
            },
        }
    },
}  # fmt: skip
CODEC_SETTINGS = {
    "sample_rate": 16_000,
    "channels": 1,
    "compression_model": "encodec",
    "encodec": {
        "autoencoder": "seanet", "quantizer": "rvq", "sample_rate": "${sample_rate}",
        "channels": "${channels}", "causal": False, "renormalize": False,
    },
    "seanet": {
        "dimension": 16, "channels": "${channels}", "causal": "${encodec.causal}", "n_filters": 4,
        "n_residual_layers": 1, "ratios": [8, 5, 4, 2], "activation": "ELU",
        "norm": "weight_norm", "kernel_size": 7, "residual_kernel_size": 3, "last_kernel_size": 7,
        "dilation_base": 2, "pad_mode": "constant", "true_skip": True, "compress": 2, "lstm": 2,
        "disable_norm_outer_blocks": 0, "activation_params": {"alpha": 1.0}, "norm_params": {},
        "encoder": {},
        "decoder": {
            "trim_right_ratio": 1.0, "final_activation": None, "final_activation_params": None
        },
    },
    "rvq": {
        "n_q": 4, "bins": 64, "q_dropout": False, "decay": 0.99, "kmeans_init": False,
        "kmeans_iters": 50, "threshold_ema_dead_code": 2, "orthogonal_reg_weight": 0.0,
        "orthogonal_reg_active_codes_only": False,
    },
}  # fmt: skip


def transformers_model():
    """The architecture of AudioGen, tiny."""
    codec = transformers.EncodecConfig(
        sampling_rate=16_000, num_filters=4, hidden_size=16, codebook_size=64, codebook_dim=16,
        upsampling_ratios=[8, 5, 4, 2], num_lstm_layers=2, target_bandwidths=[1.2],
        use_causal_conv=False, use_conv_shortcut=False, pad_mode="constant",
    )  # fmt: skip
    decoder = transformers.MusicgenDecoderConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=32,
        num_codebooks=4, audio_channels=1, pad_token_id=64, bos_token_id=64,
    )  # fmt: skip
    words = t5_encoder(t5_tokenizer())
    torch.manual_seed(0)
    config = transformers.MusicgenConfig(
        text_encoder=words.config.to_dict(), audio_encoder=codec.to_dict(),
        decoder=decoder.to_dict(),
    )  # fmt: skip
    model = transformers.MusicgenForConditionalGeneration(config, text_encoder=words).eval()
    for name, values in model.named_buffers():
        if name.endswith("embed"):
            values.copy_(torch.randn_like(values))
    return model


def audiogen(folder: Path) -> Path:
    """A folder as audiocraft saves it, its text encoder beside it."""
    model = transformers_model()
    model.text_encoder.save_pretrained(folder / "text_encoder")
    t5_tokenizer().save_pretrained(folder / "text_encoder")
    save(folder / "state_dict.bin", language_weights(model), LANGUAGE_SETTINGS)
    save(folder / "compression_state_dict.bin", codec_weights(model), CODEC_SETTINGS)
    return folder


def save(path: Path, weights: object, settings: object) -> None:
    """Settings are YAML, of which JSON is a part."""
    torch.save({"best_state": weights, "xp.cfg": json.dumps(settings), "version": "1"}, path)


def language_weights(model) -> dict[str, torch.Tensor]:
    weights = {}
    for key, value in model.state_dict().items():
        if key.startswith(("text_encoder.", "audio_encoder.")):
            continue
        for ours, its in _LANGUAGE_NAMES.items():
            key = key.replace(ours, its)
        if "k_proj" in key or "v_proj" in key:
            continue
        if "q_proj" in key:
            layer, kind = key.split(".")[2:4]
            kind = "encoder_attn" if kind == "cross_attention" else kind
            attention = getattr(model.decoder.model.decoder.layers[int(layer)], kind)
            parts = (attention.q_proj, attention.k_proj, attention.v_proj)
            key = key.replace("q_proj.weight", "in_proj_weight")
            value = torch.cat([part.weight.detach() for part in parts])
        weights[key] = value
    return weights


def codec_weights(model) -> dict[str, torch.Tensor]:
    weights = {}
    for key, value in model.audio_encoder.state_dict().items():
        part, _, *rest = key.split(".")
        if part == "quantizer":
            key = key.replace("quantizer.layers", "quantizer.vq.layers")
            key = key.replace(".codebook.", "._codebook.")
        else:
            kind = "convtr.convtr." if _is_transposed(model, key) else "conv.conv."
            key = ".".join((part, "model", *rest)).replace("conv.", kind)
        key = key.replace("parametrizations.weight.original0", "weight_g")
        weights[key.replace("parametrizations.weight.original1", "weight_v")] = value
    return weights


def _is_transposed(model, key: str) -> bool:
    layer = model.audio_encoder.get_submodule(".".join(key.split(".")[:3]))
    return type(layer).__name__ == "EncodecConvTranspose1d"

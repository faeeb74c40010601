"""Models that hear: AST, CLAP, Qwen2-Audio. Each builder saves a checkpoint into a folder."""

from pathlib import Path

import torch
import transformers

from checkpoints.tokenizers import byte_letters, byte_tokenizer

AST_NAMES = ("Speech", "Music, instrumental", "Rain", "Dog, bark")


def ast(folder: Path) -> None:
    torch.manual_seed(0)
    config = transformers.ASTConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        patch_size=16, max_length=128, num_mel_bins=128, num_labels=len(AST_NAMES),
        id2label=dict(enumerate(AST_NAMES)),
        label2id={name: at for at, name in enumerate(AST_NAMES)},
    )  # fmt: skip
    transformers.ASTForAudioClassification(config).eval().save_pretrained(folder)
    transformers.ASTFeatureExtractor(max_length=128).save_pretrained(folder)


def clap(folder: Path) -> None:
    torch.manual_seed(0)
    text = {
        "hidden_size": 8, "intermediate_size": 37, "num_attention_heads": 1,
        "num_hidden_layers": 1, "vocab_size": 300, "projection_dim": 16,
        "max_position_embeddings": 130,
    }  # fmt: skip
    audio = {
        "spec_size": 256, "window_size": 8, "num_mel_bins": 64, "depths": [1, 1],
        "num_attention_heads": [1, 1], "hidden_size": 32, "patch_size": 4,
        "patch_stride": [4, 4], "patch_embeds_hidden_size": 16, "projection_dim": 16,
        "num_hidden_layers": 2,
    }  # fmt: skip
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=16)
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *byte_letters(), "<mask>"]
    tokenizer = transformers.RobertaTokenizer(
        vocab={token: at for at, token in enumerate(tokens)}, merges=[], model_max_length=77
    )
    # Two seconds at most, so that the part that is taken of a longer sound matters in tests.
    extractor = transformers.ClapFeatureExtractor(
        feature_size=64, truncation="rand_trunc", max_length_s=2
    )
    transformers.ClapModel(config).eval().save_pretrained(folder)
    transformers.ClapProcessor(extractor, tokenizer).save_pretrained(folder)


def qwen2_audio(folder: Path) -> None:
    torch.manual_seed(0)
    specials = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|im_start|>", "<|im_end|>")
    tokenizer = byte_tokenizer(specials, longest=8192)
    audio = {
        "model_type": "qwen2_audio_encoder", "d_model": 16, "encoder_layers": 1,
        "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "num_mel_bins": 80,
        "max_source_positions": 1500,
    }  # fmt: skip
    text = {
        "model_type": "qwen2", "vocab_size": len(tokenizer), "hidden_size": 16,
        "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 2, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
    }  # fmt: skip
    token = tokenizer.convert_tokens_to_ids("<|AUDIO|>")
    config = transformers.Qwen2AudioConfig(
        audio_token_index=token, audio_config=audio, text_config=text
    )
    model = transformers.Qwen2AudioForConditionalGeneration(config).eval()
    extractor = transformers.WhisperFeatureExtractor(feature_size=80, return_attention_mask=True)
    model.save_pretrained(folder)
    transformers.Qwen2AudioProcessor(extractor, tokenizer).save_pretrained(folder)

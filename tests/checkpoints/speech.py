"""Recognisers of speech: what they write is noise, but they write it as the real ones do."""

from pathlib import Path

import torch
import transformers
from transformers import AddedToken

from checkpoints.tokenizers import byte_letters, byte_tokenizer

_MARKS = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|translate|>",
          "<|nospeech|>", "<|notimestamps|>")  # fmt: skip


def whisper(folder: Path) -> Path:
    """Whisper with one language, word times by its one attention head, and 10 words a time."""
    tokenizer = _whisper_tokenizer()
    mark = {name: tokenizer.convert_tokens_to_ids(name) for name in _MARKS}
    end, start = mark["<|endoftext|>"], mark["<|startoftranscript|>"]
    torch.manual_seed(0)
    model = transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=len(tokenizer), num_mel_bins=80, d_model=16, encoder_layers=1,
            decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=16, decoder_ffn_dim=16, max_source_positions=1500,
            max_target_positions=64, bos_token_id=end, eos_token_id=end, pad_token_id=end,
            decoder_start_token_id=start,
        )
    ).eval()  # fmt: skip
    told = model.generation_config
    told._from_model_config = False  # or loading makes it anew and forgets the languages
    told.no_timestamps_token_id = mark["<|notimestamps|>"]
    told.lang_to_id = {"<|en|>": mark["<|en|>"]}
    told.task_to_id = {"transcribe": mark["<|transcribe|>"], "translate": mark["<|translate|>"]}
    told.is_multilingual, told.max_length, told.alignment_heads = True, 32, [[0, 0]]
    told.max_initial_timestamp_index = 50
    told.suppress_tokens, told.begin_suppress_tokens = _no_letters(tokenizer), []
    model.save_pretrained(folder)
    extractor = transformers.WhisperFeatureExtractor(feature_size=80)
    transformers.WhisperProcessor(extractor, tokenizer).save_pretrained(folder)
    return folder


def _whisper_tokenizer():
    times = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
    vocabulary = {token: at for at, token in enumerate([*byte_letters(), *_MARKS])}
    end = _MARKS[0]
    tokenizer = transformers.WhisperTokenizer(
        vocab=vocabulary, merges=[], language="en", task="transcribe", bos_token=end,
        eos_token=end, unk_token=end, pad_token=end,
    )  # fmt: skip
    tokenizer.add_special_tokens({"additional_special_tokens": list(_MARKS)})
    tokenizer.add_tokens([AddedToken(time, special=False) for time in times])
    return tokenizer


def _no_letters(tokenizer):
    """The bytes that are neither letter nor space, so that noise has words."""
    said = "abcdefghijklmnopqrstuvwxyzĠ"
    bytes_ = [byte for byte in byte_letters() if byte not in said]
    return tokenizer.convert_tokens_to_ids([*bytes_, "<s>", "<unk>"])


def moonshine(folder: Path) -> Path:
    """Moonshine, which tells no times."""
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = transformers.MoonshineConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37,
        encoder_num_hidden_layers=1, decoder_num_hidden_layers=1, encoder_num_attention_heads=4,
        decoder_num_attention_heads=4, bos_token_id=0, eos_token_id=2, pad_token_id=1,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = transformers.MoonshineForConditionalGeneration(config).eval()
    told = model.generation_config
    told.max_length, told.min_new_tokens = 40, 20
    told.suppress_tokens = _no_letters(tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(
        feature_size=1, sampling_rate=16_000, do_normalize=False, return_attention_mask=True
    ).save_pretrained(folder)
    return folder

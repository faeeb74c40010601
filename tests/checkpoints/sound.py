"""Makers of music and of speech: MusicGen, VITS, SpeechT5, with random weights."""

import json
from pathlib import Path

import sentencepiece
import torch
import transformers

from checkpoints.tokenizers import t5_tokenizer


def musicgen(folder: Path) -> Path:
    tokenizer = t5_tokenizer()
    torch.manual_seed(0)
    words = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=32, d_ff=37, d_kv=8, num_heads=4, num_layers=1
    )
    codec = transformers.EncodecConfig(
        sampling_rate=16_000, num_filters=4, hidden_size=16, codebook_size=64, codebook_dim=16,
        upsampling_ratios=[8, 5, 4, 2], num_lstm_layers=1, target_bandwidths=[1.2, 2.4],
    )  # fmt: skip
    decoder = transformers.MusicgenDecoderConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=32,
        num_codebooks=4, audio_channels=1, pad_token_id=64, bos_token_id=64,
        max_position_embeddings=2048,
    )  # fmt: skip
    model = transformers.MusicgenForConditionalGeneration(
        transformers.MusicgenConfig(
            text_encoder=words.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict()
        )
    ).eval()
    for name, values in model.named_buffers():
        if name.endswith("embed"):  # zeros, so that all codes would sound alike
            values.copy_(torch.randn_like(values))
    told = model.generation_config
    told.decoder_start_token_id = told.pad_token_id = told.bos_token_id = 64
    told.guidance_scale, told.max_length = 3.0, None
    model.save_pretrained(folder)
    extractor = transformers.EncodecFeatureExtractor(sampling_rate=16_000)
    transformers.MusicgenProcessor(extractor, tokenizer).save_pretrained(folder)
    return folder


def vits(folder: Path) -> Path:
    letters = ["<pad>", "<unk>", *"abcdefghijklmnopqrstuvwxyz '-"]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "letters.json"
    vocabulary.write_text(json.dumps({letter: at for at, letter in enumerate(letters)}))
    tokenizer = transformers.VitsTokenizer(
        str(vocabulary), add_blank=True, normalize=True, phonemize=False, pad_token="<pad>",
        unk_token="<unk>",
    )  # fmt: skip
    torch.manual_seed(0)
    config = transformers.VitsConfig(
        vocab_size=len(letters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        ffn_dim=16, flow_size=16, spectrogram_bins=17, upsample_initial_channel=16,
        upsample_rates=[8, 8, 4], upsample_kernel_sizes=[16, 16, 8], resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]], prior_encoder_num_flows=2,
        posterior_encoder_num_wavenet_layers=1, prior_encoder_num_wavenet_layers=1,
        duration_predictor_num_flows=2, duration_predictor_filter_channels=16,
        depth_separable_num_layers=1, wavenet_dilation_rate=1,
    )  # fmt: skip
    transformers.VitsModel(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def speecht5(folder: Path) -> Path:
    """With its vocoder in the folder, as the backend takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "text.txt"
    text.write_text("\n".join(["hello world a dog runs in the street"] * 20))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "letters"), vocab_size=24, model_type="char",
        pad_id=1, bos_id=0, eos_id=2, unk_id=3, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    tokenizer = transformers.SpeechT5Tokenizer(str(folder / "letters.model"))
    torch.manual_seed(0)
    config = transformers.SpeechT5Config(
        vocab_size=len(tokenizer) + 2, hidden_size=24, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, speaker_embedding_dim=8, speech_decoder_prenet_units=16,
        speech_decoder_postnet_units=16, num_mel_bins=80,
    )  # fmt: skip
    transformers.SpeechT5ForTextToSpeech(config).eval().save_pretrained(folder)
    processor = transformers.SpeechT5Processor(transformers.SpeechT5FeatureExtractor(), tokenizer)
    processor.save_pretrained(folder)
    vocoder = transformers.SpeechT5HifiGanConfig(
        model_in_dim=80, upsample_initial_channel=16, upsample_rates=[4, 4, 4, 4],
        upsample_kernel_sizes=[8, 8, 8, 8], resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
    )  # fmt: skip
    noisy = transformers.SpeechT5HifiGan(vocoder)
    for values in noisy.parameters():  # as they are made, nothing gets through
        torch.nn.init.normal_(values, std=0.3)
    noisy.save_pretrained(folder / "vocoder")
    return folder

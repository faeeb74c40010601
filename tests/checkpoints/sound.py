"""Makers of music and of speech: MusicGen, VITS, SpeechT5, Bark, with random weights."""

import json
from pathlib import Path

import sentencepiece
import torch
import transformers
from transformers.models.bark.generation_configuration_bark import BarkGenerationConfig

from checkpoints.tokenizers import byte_letters, t5_encoder, t5_tokenizer


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
    _sound_out_codes(model)
    told = model.generation_config
    told.decoder_start_token_id = told.pad_token_id = told.bos_token_id = 64
    told.guidance_scale, told.max_length = 3.0, None
    model.save_pretrained(folder)
    extractor = transformers.EncodecFeatureExtractor(sampling_rate=16_000)
    transformers.MusicgenProcessor(extractor, tokenizer).save_pretrained(folder)
    return folder


def _sound_out_codes(model) -> None:
    """Give the codes of a new codec values: they are zeros, so that all would sound alike."""
    for name, values in model.named_buffers():
        if name.endswith("embed"):
            values.copy_(torch.randn_like(values))


def bark(folder: Path) -> Path:
    """Bark, whose vocabularies of words, meanings and sounds follow on each other."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"##{letter}" for letter in pieces[5:]]
    words = transformers.BertTokenizer(vocab={piece: at for at, piece in enumerate(pieces)})
    size = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "block_size": 256}
    size |= {"input_vocab_size": 300, "output_vocab_size": 300}
    fine = {**size, "input_vocab_size": 33, "output_vocab_size": 33}
    codec = transformers.EncodecConfig(
        num_filters=4, hidden_size=16, codebook_size=32, codebook_dim=16, num_lstm_layers=1,
        upsampling_ratios=[8, 5, 4, 2], target_bandwidths=[1.5, 3.0],
    )  # fmt: skip
    torch.manual_seed(0)
    config = transformers.BarkConfig(
        semantic_config=size, coarse_acoustics_config=size, codec_config=codec.to_dict(),
        fine_acoustics_config={**fine, "n_codes_total": 4},
    )  # fmt: skip
    model = transformers.BarkModel(config).eval()
    _sound_out_codes(model)
    model.save_pretrained(folder)
    transformers.BarkProcessor(words).save_pretrained(folder)
    told = BarkGenerationConfig(
        semantic_config={
            "eos_token_id": 50, "semantic_vocab_size": 50, "text_encoding_offset": 60,
            "text_pad_token": 200, "semantic_infer_token": 201, "max_new_tokens": 40,
            "min_new_tokens": 40, "max_input_semantic_length": 64, "do_sample": True,
        },
        coarse_acoustics_config={
            "coarse_semantic_pad_token": 114, "coarse_infer_token": 116,
            "max_coarse_input_length": 64, "do_sample": True,
        },
        fine_acoustics_config={
            "n_fine_codebooks": 4, "max_fine_history_length": 64, "max_fine_input_length": 128,
            "temperature": None,
        },
        codebook_size=32,
    )  # fmt: skip
    (folder / "generation_config.json").write_text(json.dumps(told.to_dict()))
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


def stable_audio(folder: Path) -> Path:
    from diffusers import (
        AutoencoderOobleck,
        CosineDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
    )
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel

    tokenizer = t5_tokenizer(25)
    encoder = t5_encoder(tokenizer)
    torch.manual_seed(0)
    StableAudioPipeline(
        transformer=StableAudioDiTModel(
            sample_size=512, in_channels=3, num_layers=2, attention_head_dim=4,
            num_key_value_attention_heads=2, out_channels=3, cross_attention_dim=4,
            time_proj_dim=8, global_states_input_dim=8, cross_attention_input_dim=4,
        ),
        vae=AutoencoderOobleck(
            encoder_hidden_size=6, downsampling_ratios=[4, 8, 8], decoder_channels=3,
            decoder_input_channels=3, audio_channels=2, channel_multiples=[1, 2, 4],
            sampling_rate=16_000,
        ),
        text_encoder=encoder,
        tokenizer=tokenizer,
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=32, conditioning_dim=4, min_value=0, max_value=512
        ),
        scheduler=CosineDPMSolverMultistepScheduler(
            solver_order=2, prediction_type="v_prediction", sigma_data=1.0,
            sigma_schedule="exponential",
        ),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def audioldm2(folder: Path) -> Path:
    from diffusers import (
        AudioLDM2Pipeline,
        AudioLDM2ProjectionModel,
        AudioLDM2UNet2DConditionModel,
        AutoencoderKL,
        DDIMScheduler,
    )

    words = t5_tokenizer()
    letters = ["<s>", "<pad>", "</s>", "<unk>", *byte_letters(), "<mask>"]
    vocabulary = {letter: at for at, letter in enumerate(letters)}
    torch.manual_seed(0)
    speaker = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_embd=16, n_head=1, n_layer=1, vocab_size=1000, n_positions=99)
    ).eval()
    speaker.config.max_new_tokens = 8
    hears = transformers.ClapConfig(
        text_config={
            "bos_token_id": 0, "eos_token_id": 2, "hidden_size": 8, "intermediate_size": 37,
            "num_attention_heads": 1, "num_hidden_layers": 1, "pad_token_id": 1,
            "vocab_size": 1000, "projection_dim": 8, "max_position_embeddings": 514,
        },
        audio_config={
            "spec_size": 8, "window_size": 4, "num_mel_bins": 8, "intermediate_size": 37,
            "depths": [1, 1], "num_attention_heads": [1, 1], "num_hidden_layers": 1,
            "hidden_size": 192, "projection_dim": 8, "patch_size": 2, "patch_stride": 2,
            "patch_embed_input_channels": 4,
        },
        projection_dim=16,
    )  # fmt: skip
    vocoder = transformers.SpeechT5HifiGan(
        transformers.SpeechT5HifiGanConfig(
            model_in_dim=8, sampling_rate=16_000, upsample_initial_channel=16,
            upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3, 7],
            resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5]], normalize_before=False,
        )
    )  # fmt: skip
    for values in vocoder.parameters():
        torch.nn.init.normal_(values, std=0.3)
    AudioLDM2Pipeline(
        unet=AudioLDM2UNet2DConditionModel(
            block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=8, sample_size=32,
            in_channels=4, out_channels=4, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=(8, 16),
        ),
        vae=AutoencoderKL(
            block_out_channels=[8, 16], in_channels=1, out_channels=1, norm_num_groups=8,
            down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
            latent_channels=4,
        ),
        text_encoder=transformers.ClapModel(hears).eval(),
        text_encoder_2=t5_encoder(words),
        tokenizer=transformers.RobertaTokenizer(vocab=vocabulary, merges=[], model_max_length=77),
        tokenizer_2=words,
        language_model=speaker,
        feature_extractor=transformers.ClapFeatureExtractor(feature_size=8, hop_length=7900),
        projection_model=AudioLDM2ProjectionModel(
            text_encoder_dim=16, text_encoder_1_dim=32, langauge_model_dim=16
        ),
        vocoder=vocoder,
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
            set_alpha_to_one=False,
        ),
    ).save_pretrained(folder)  # fmt: skip
    return folder

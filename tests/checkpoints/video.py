"""Tiny video models: Wan 2.1 and 2.2, LTX, CogVideoX, AnimateDiff and SanaVideo."""

import diffusers
import torch
import transformers
from diffusers import FlowMatchEulerDiscreteScheduler

from checkpoints.image import carrying, clip_encoder, image_vae
from checkpoints.tokenizers import byte_tokenizer, clip_tokenizer, t5_encoder, t5_tokenizer


def _wan_vae(**settings: object):
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
        temperal_downsample=[False, True, True], **settings,
    )  # fmt: skip
    return carrying(vae.eval(), 5, 64, 64)


def _wan_transformer(channels: int = 16):
    torch.manual_seed(0)
    return diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=channels,
        out_channels=16, text_dim=32, freq_dim=256, ffn_dim=32, num_layers=2,
        cross_attn_norm=True, qk_norm="rms_norm_across_heads", rope_max_seq_len=64,
    )  # fmt: skip


def _wan_words():
    tokenizer = t5_tokenizer()
    torch.manual_seed(0)
    config = transformers.UMT5Config(
        vocab_size=len(tokenizer), d_model=32, d_ff=37, d_kv=8, num_heads=4, num_layers=2,
        is_encoder_decoder=False,
    )  # fmt: skip
    return {"tokenizer": tokenizer, "text_encoder": transformers.UMT5EncoderModel(config).eval()}


def wan():
    """Wan 2.1: text to video; its weights change videos too."""
    return diffusers.WanPipeline(
        **_wan_words(), vae=_wan_vae(), transformer=_wan_transformer(), transformer_2=None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
    )  # fmt: skip


def wan_5b():
    """Wan 2.2 TI2V: a VAE with patches, one model for text, first frames and videos."""
    vae = _wan_vae(
        in_channels=12, out_channels=12, patch_size=2, is_residual=True, scale_factor_spatial=16
    )
    return diffusers.WanPipeline(
        **_wan_words(), vae=vae, transformer=_wan_transformer(), transformer_2=None,
        expand_timesteps=True, scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
    )  # fmt: skip


def wan_of_two():
    """Wan 2.2 A14B: one denoiser for much noise, another one for little."""
    torch.manual_seed(1)
    return diffusers.WanPipeline(
        **_wan_words(), vae=_wan_vae(), transformer=_wan_transformer(),
        transformer_2=_wan_transformer(), boundary_ratio=0.875,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
    )  # fmt: skip


def wan_image():
    """Wan 2.1 that moves a first frame, and can do nothing else."""
    return diffusers.WanImageToVideoPipeline(
        **_wan_words(), vae=_wan_vae(), transformer=_wan_transformer(36), image_encoder=None,
        image_processor=None, scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
    )  # fmt: skip


def ltx():
    tokenizer = t5_tokenizer()
    torch.manual_seed(0)
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8, out_channels=8, patch_size=1, patch_size_t=1, num_attention_heads=4,
        attention_head_dim=8, cross_attention_dim=32, num_layers=1, caption_channels=32,
    )  # fmt: skip
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8, block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4,
        layers_per_block=(1,) * 5, decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        decoder_inject_noise=(False,) * 5, upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4, timestep_conditioning=False, patch_size=1, patch_size_t=1,
        encoder_causal=True, decoder_causal=False,
    )  # fmt: skip
    vae.use_framewise_encoding = vae.use_framewise_decoding = False
    return diffusers.LTXPipeline(
        tokenizer=tokenizer, text_encoder=t5_encoder(tokenizer), transformer=transformer,
        vae=carrying(vae.eval(), 5, 64, 64), scheduler=FlowMatchEulerDiscreteScheduler(),
    )  # fmt: skip


def cogvideox():
    tokenizer = t5_tokenizer()
    torch.manual_seed(0)
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=4, attention_head_dim=8, in_channels=4, out_channels=4,
        time_embed_dim=2, text_embed_dim=32, num_layers=1, sample_width=8, sample_height=8,
        sample_frames=9, patch_size=2, temporal_compression_ratio=4, max_text_seq_length=226,
    )  # fmt: skip
    vae = diffusers.AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8,) * 4, latent_channels=4, layers_per_block=1, norm_num_groups=2,
        temporal_compression_ratio=4,
    )  # fmt: skip
    return diffusers.CogVideoXPipeline(
        tokenizer=tokenizer, text_encoder=t5_encoder(tokenizer), transformer=transformer,
        vae=carrying(vae.eval(), 5, 64, 64), scheduler=diffusers.DDIMScheduler(),
    )  # fmt: skip


def animatediff():
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(8, 8), layers_per_block=1, sample_size=8, in_channels=4,
        out_channels=4, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=32,
        norm_num_groups=2,
    )  # fmt: skip
    adapter = diffusers.MotionAdapter(
        block_out_channels=(8, 8), motion_layers_per_block=1, motion_norm_num_groups=2,
        motion_num_attention_heads=4,
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(beta_schedule="linear", clip_sample=False, steps_offset=1)
    return diffusers.AnimateDiffPipeline(
        unet=unet, vae=image_vae((8, 8, 8), 2), motion_adapter=adapter, text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(), scheduler=scheduler,
    )  # fmt: skip


def sana():
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = transformers.Gemma2Config(
        head_dim=16, hidden_size=8, intermediate_size=64, max_position_embeddings=4096,
        num_attention_heads=2, num_hidden_layers=1, num_key_value_heads=2,
        vocab_size=len(tokenizer), attn_implementation="eager",
    )  # fmt: skip
    transformer = diffusers.SanaVideoTransformer3DModel(
        in_channels=16, out_channels=16, num_attention_heads=2, attention_head_dim=12,
        num_layers=2, num_cross_attention_heads=2, cross_attention_head_dim=12,
        cross_attention_dim=24, caption_channels=8, mlp_ratio=2.5, sample_size=8,
        patch_size=(1, 2, 2), norm_elementwise_affine=False, qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )  # fmt: skip
    return diffusers.SanaVideoPipeline(
        transformer=transformer, vae=_wan_vae(), tokenizer=tokenizer,
        text_encoder=transformers.Gemma2Model(config).eval(),
        scheduler=diffusers.DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True
        ),
    )  # fmt: skip

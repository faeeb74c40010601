"""Tiny image models: Stable Diffusion, SDXL, SD3, Z-Image and FLUX.2-klein."""

import diffusers
import torch
import transformers

from checkpoints.tokenizers import byte_tokenizer, clip_tokenizer, t5_encoder, t5_tokenizer

_CHAT = (
    "{% for m in messages %}<|im_start|>{{m.role}}\n{{m.content}}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def clip_encoder(projected: bool = False):
    torch.manual_seed(0)
    config = transformers.CLIPTextConfig(
        vocab_size=514, hidden_size=32, intermediate_size=37, num_hidden_layers=3,
        num_attention_heads=4, max_position_embeddings=77, projection_dim=32, bos_token_id=512,
        eos_token_id=513, pad_token_id=513,
    )  # fmt: skip
    kind = transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel
    return kind(config).eval()


def image_vae(widths=(8, 16), groups: int = 8, channels: int = 4, **settings: object):
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        block_out_channels=widths, norm_num_groups=groups, latent_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * len(widths),
        up_block_types=["UpDecoderBlock2D"] * len(widths), **settings,
    )  # fmt: skip
    return carrying(vae.eval(), 64, 64)


def carrying(vae, *picture_shape: int):
    """``vae`` with latents of mean 0 and deviation 1 and hardly any noise, as trained ones have:
    those of random weights would drown in the noise that a model adds.
    """
    last = getattr(vae, "quant_conv", None) or vae.encoder.conv_out
    last = getattr(last, "conv", last)
    with torch.no_grad():
        half = vae.config.get("z_dim") or vae.config.latent_channels
        last.weight[half:], last.bias[half:] = 0, -30
        seeds = torch.Generator().manual_seed(0)
        coarse = torch.rand(4, 3, *(1 for _ in picture_shape), generator=seeds)
        latents = vae.encode(coarse.expand(-1, -1, *picture_shape) * 2 - 1).latent_dist.mode()
        last.bias[:half] -= latents.mean([axis for axis in range(latents.ndim) if axis != 1])
        # What is the same in all pictures, as at the edges, is no content.
        deviation = latents.std(0).mean()
        last.weight[:half] /= deviation
        last.bias[:half] /= deviation
    if "scaling_factor" in vae.config:
        vae.register_to_config(scaling_factor=1.0)
    if "shift_factor" in vae.config:
        vae.register_to_config(shift_factor=0.0)
    if "latents_mean" in vae.config and vae.config.get("z_dim"):
        vae.register_to_config(latents_mean=[0.0] * half, latents_std=[1.0] * half)
    return vae


def _unet(**settings: object):
    torch.manual_seed(0)
    return diffusers.UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=32, in_channels=4,
        out_channels=4, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **settings,
    )  # fmt: skip


def stable_diffusion():
    return diffusers.StableDiffusionPipeline(
        unet=_unet(cross_attention_dim=32), vae=image_vae(), text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(), safety_checker=None, feature_extractor=None,
        scheduler=diffusers.DDIMScheduler(clip_sample=False, steps_offset=1),
        requires_safety_checker=False,
    )  # fmt: skip


def sdxl():
    unet = _unet(
        attention_head_dim=(2, 4), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, transformer_layers_per_block=(1, 1),
        projection_class_embeddings_input_dim=80, cross_attention_dim=64,
    )  # fmt: skip
    return diffusers.StableDiffusionXLPipeline(
        unet=unet, vae=image_vae(), text_encoder=clip_encoder(),
        text_encoder_2=clip_encoder(projected=True), tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(), force_zeros_for_empty_prompt=True, add_watermarker=False,
        scheduler=diffusers.EulerAncestralDiscreteScheduler(timestep_spacing="trailing"),
    )  # fmt: skip


def sd3():
    torch.manual_seed(0)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=32, patch_size=1, in_channels=4, num_layers=1, attention_head_dim=8,
        num_attention_heads=4, caption_projection_dim=32, joint_attention_dim=32,
        pooled_projection_dim=64, out_channels=4,
    )  # fmt: skip
    vae = image_vae((4, 8), 1, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.0)
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer, vae=vae, tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(), tokenizer_3=t5_tokenizer(),
        text_encoder=clip_encoder(projected=True), text_encoder_2=clip_encoder(projected=True),
        text_encoder_3=t5_encoder(t5_tokenizer()),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )  # fmt: skip


def _qwen3(kind: str, layers: int):
    tokenizer = byte_tokenizer(("<|im_start|>", "<|im_end|>"))
    tokenizer.chat_template = _CHAT
    torch.manual_seed(0)
    config = transformers.Qwen3Config(
        hidden_size=16, intermediate_size=16, num_hidden_layers=layers, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8, vocab_size=len(tokenizer), max_position_embeddings=512,
    )  # fmt: skip
    return tokenizer, getattr(transformers, kind)(config).eval()


def z_image():
    tokenizer, encoder = _qwen3("Qwen3Model", 2)
    torch.manual_seed(0)
    transformer = diffusers.ZImageTransformer2DModel(
        all_patch_size=(2,), all_f_patch_size=(1,), in_channels=16, dim=32, n_layers=2,
        n_refiner_layers=1, n_heads=2, n_kv_heads=2, qk_norm=True, cap_feat_dim=16,
        rope_theta=256.0, t_scale=1000.0, axes_dims=[8, 4, 4], axes_lens=[1024, 64, 64],
    )  # fmt: skip
    return diffusers.ZImagePipeline(
        transformer=transformer, text_encoder=encoder, tokenizer=tokenizer,
        vae=image_vae((8, 16), 8, 16, shift_factor=0.0),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )  # fmt: skip


def klein():
    # The pipeline reads layers 9, 18 and 27 of its text encoder.
    tokenizer, encoder = _qwen3("Qwen3ForCausalLM", 28)
    torch.manual_seed(0)
    transformer = diffusers.Flux2Transformer2DModel(
        patch_size=1, in_channels=4, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=48, timestep_guidance_channels=256,
        axes_dims_rope=[4, 4, 4, 4], guidance_embeds=False,
    )  # fmt: skip
    vae = diffusers.AutoencoderKLFlux2(
        sample_size=32, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(4, 4), layers_per_block=1,
        latent_channels=1, norm_num_groups=1, use_quant_conv=False, use_post_quant_conv=False,
    )  # fmt: skip
    return diffusers.Flux2KleinPipeline(
        transformer=transformer, vae=vae, text_encoder=encoder, tokenizer=tokenizer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), is_distilled=True,
    )  # fmt: skip

"""Models that see and speak: BLIP, Florence-2, Idefics3, SmolVLM2, Qwen2.5-VL, Qwen3-VL.

Each builder saves a checkpoint into a folder, laid out as on the hub.
"""

import json
from pathlib import Path

import torch
import transformers

from checkpoints.tokenizers import byte_tokenizer

CHAT = (
    "{% for m in messages %}{{m.role}}: {% for c in m.content %}{% if c.type=='image' %}<image>"
    "{% else %}{{c.text}}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
QWEN_CHAT = (
    "{% for m in messages %}<|im_start|>{{m.role}}\n{% for c in m.content %}"
    "{% if c.type=='image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{c.text}}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,"


def blip(folder: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", *_LETTERS]
    words += [f"##{letter}" for letter in _LETTERS] + ["dog", "cat", "red", "street", "the", "of"]
    tokenizer = transformers.BertTokenizer(vocab={word: at for at, word in enumerate(words)})
    text = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "encoder_hidden_size": 32,
        "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 4,
        "max_position_embeddings": 256, "bos_token_id": 5, "eos_token_id": 3, "pad_token_id": 0,
        "sep_token_id": 3, "projection_dim": 32,
    }  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    torch.manual_seed(0)
    config = transformers.BlipConfig(
        text_config=text, vision_config=vision, projection_dim=32, image_text_hidden_size=32
    )
    images = transformers.BlipImageProcessor(size={"height": 32, "width": 32})
    _save(
        folder,
        transformers.BlipForConditionalGeneration(config),
        transformers.BlipProcessor(images, tokenizer),
    )


def florence(folder: Path) -> None:
    tokenizer = byte_tokenizer(("<image>",), extra_special_tokens={"image_token": "<image>"})
    text = {
        "model_type": "bart", "vocab_size": len(tokenizer), "d_model": 32, "encoder_layers": 1,
        "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 1024,
        "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, "decoder_start_token_id": 2,
        "forced_eos_token_id": 2,
    }  # fmt: skip
    vision = {
        "embed_dim": [8, 16, 32, 32], "num_heads": [1, 2, 2, 2], "num_groups": [1, 2, 2, 2],
        "depths": [1, 1, 1, 1], "window_size": 4, "projection_dim": 32,
        "max_temporal_embeddings": 4, "max_position_embeddings": 10,
    }  # fmt: skip
    torch.manual_seed(1)  # with 0 it says nothing
    token = tokenizer.convert_tokens_to_ids("<image>")
    config = transformers.Florence2Config(
        text_config=text, vision_config=vision, image_token_id=token
    )
    side = {"height": 64, "width": 64}
    images = transformers.CLIPImageProcessor(size=side, crop_size=side)
    images.image_seq_length = 5
    processor = transformers.Florence2Processor(
        image_processor=images, tokenizer=tokenizer, num_additional_image_tokens=0
    )
    _save(folder, transformers.Florence2ForConditionalGeneration(config), processor)


def idefics3(folder: Path) -> None:
    tokenizer, images = _tiles_tokenizer(), _tiles("Idefics3")
    config = _tiles_config(transformers.Idefics3Config, tokenizer)
    processor = transformers.Idefics3Processor(
        image_processor=images, tokenizer=tokenizer, image_seq_len=4, chat_template=CHAT
    )
    _save(folder, transformers.Idefics3ForConditionalGeneration(config), processor)


def mute(folder: Path) -> None:
    """Idefics3 that says nothing: with weights of zero the first token, a special one, wins."""
    idefics3(folder)
    model = transformers.Idefics3ForConditionalGeneration.from_pretrained(folder)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
    model.save_pretrained(folder)


def smolvlm(folder: Path) -> None:
    """As on the hub; its processor needs torchvision, so it is not made here but written."""
    tokenizer, images = _tiles_tokenizer(), _tiles("SmolVLM")
    config = _tiles_config(transformers.SmolVLMConfig, tokenizer)
    _save(folder, transformers.SmolVLMForConditionalGeneration(config), tokenizer)
    _preprocessors(
        folder, images, "SmolVLMImageProcessor", "SmolVLMProcessor", "SmolVLMVideoProcessor"
    )
    processor = {"image_seq_len": 4, "processor_class": "SmolVLMProcessor"}
    (folder / "processor_config.json").write_text(json.dumps(processor))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": CHAT}))


def qwen2_5_vl(folder: Path) -> None:
    tokenizer = _qwen_tokenizer()
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 32, "num_heads": 4,
        "out_hidden_size": 32, "patch_size": 14, "spatial_merge_size": 2,
        "temporal_patch_size": 2, "window_size": 56, "fullatt_block_indexes": [1],
    }  # fmt: skip
    torch.manual_seed(0)
    config = transformers.Qwen2_5_VLConfig(
        text_config=_qwen_text(tokenizer), vision_config=vision, **_qwen_ids(tokenizer)
    )
    _save(folder, transformers.Qwen2_5_VLForConditionalGeneration(config), tokenizer)
    _preprocessors(
        folder, _grid(14), "Qwen2VLImageProcessor", "Qwen2_5_VLProcessor", "Qwen2VLVideoProcessor"
    )


def qwen3_vl(folder: Path) -> None:
    tokenizer = _qwen_tokenizer()
    vision = {
        "depth": 2, "in_channels": 3, "hidden_act": "gelu_pytorch_tanh", "intermediate_size": 32,
        "out_hidden_size": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 16,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0, 1],
    }  # fmt: skip
    text = {**_qwen_text(tokenizer), "head_dim": 8}
    text["rope_scaling"] = {**text["rope_scaling"], "mrope_interleaved": True}
    torch.manual_seed(0)
    config = transformers.Qwen3VLConfig(
        text_config=text, vision_config=vision, **_qwen_ids(tokenizer)
    )
    _save(folder, transformers.Qwen3VLForConditionalGeneration(config), tokenizer)
    _preprocessors(
        folder, _grid(16), "Qwen2VLImageProcessorFast", "Qwen3VLProcessor", "Qwen3VLVideoProcessor"
    )


def _save(folder: Path, model, processor) -> None:
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)


def _preprocessors(folder: Path, images, kind: str, processor: str, video: str) -> None:
    """The two files of the hub from which a processor is put together."""
    facts = json.loads(images.to_json_string())
    facts |= {"image_processor_type": kind, "processor_class": processor}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts))
    facts["video_processor_type"] = video
    (folder / "video_preprocessor_config.json").write_text(json.dumps(facts))


def _tiles_tokenizer():
    specials = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
    specials += [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    return byte_tokenizer(tuple(specials), longest=8192)


def _tiles(family: str):
    kind = getattr(transformers, f"{family}ImageProcessor")
    return kind(size={"longest_edge": 128}, max_image_size={"longest_edge": 32})


def _tiles_config(kind, tokenizer):
    vision = {
        "image_size": 32, "patch_size": 8, "num_hidden_layers": 1, "hidden_size": 32,
        "intermediate_size": 32, "num_attention_heads": 2,
    }  # fmt: skip
    text = {
        "model_type": "llama", "vocab_size": len(tokenizer), "hidden_size": 32,
        "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 2, "max_position_embeddings": 4096, "bos_token_id": 0,
        "eos_token_id": 2, "pad_token_id": 1,
    }  # fmt: skip
    torch.manual_seed(0)
    image = tokenizer.convert_tokens_to_ids("<image>")
    return kind(
        image_token_id=image, vision_config=vision, text_config=text, scale_factor=2, pad_token_id=1
    )


def _qwen_tokenizer():
    specials = ("im_start", "im_end", "vision_start", "vision_end", "image_pad", "video_pad")
    tokenizer = byte_tokenizer(tuple(f"<|{name}|>" for name in specials), longest=8192)
    tokenizer.chat_template = QWEN_CHAT
    return tokenizer


def _qwen_ids(tokenizer) -> dict[str, int]:
    names = {
        "image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>",
    }  # fmt: skip
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in names.items()}


def _qwen_text(tokenizer) -> dict[str, object]:
    return {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 37,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 4096, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
        "rope_theta": 1e6,
        "rope_scaling": {"rope_type": "default", "type": "default", "mrope_section": [2, 1, 1]},
    }  # fmt: skip


def _grid(patch: int):
    cell = 4 * patch * patch
    return transformers.Qwen2VLImageProcessor(
        patch_size=patch, merge_size=2, temporal_patch_size=2,
        size={"shortest_edge": cell, "longest_edge": 16 * cell},
    )  # fmt: skip


VISION = (blip, florence, idefics3, smolvlm, qwen2_5_vl, qwen3_vl)

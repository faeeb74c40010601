"""Tokenizers and text encoders that several checkpoints share; made in memory, no hub."""

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()-_/[]<>|"
_WORDS = [
    "a",
    "the",
    "of",
    "and",
    "in",
    "on",
    "dog",
    "cat",
    "red",
    "blue",
    "man",
    "woman",
    "car",
    "street",
    "night",
    "day",
]


def t5_tokenizer(longest: int = 77):
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    pieces += [(letter, -3.0) for letter in _LETTERS]
    pieces += [("\u2581" + word, -1.5) for word in _WORDS]
    return transformers.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=longest)


def t5_encoder(tokenizer, width: int = 32):
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=width, d_ff=37, d_kv=8, num_heads=4, num_layers=2,
        is_encoder_decoder=False,
    )  # fmt: skip
    return transformers.T5EncoderModel(config).eval()


def byte_letters() -> list[str]:
    """The 256 printable stand-ins for bytes of byte-level BPE."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    odd = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(odd)) for byte in range(256)]


def clip_tokenizer(longest: int = 77):
    letters = byte_letters()
    tokens = letters + [f"{letter}</w>" for letter in letters]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=longest)


def byte_tokenizer(specials: tuple[str, ...] = (), longest: int = 2048, **options: object):
    """Byte-level BPE without merges, as GPT-2, Qwen and Llama have it."""
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *byte_letters()]
    model = Tokenizer(
        models.BPE(vocab={token: at for at, token in enumerate(vocabulary)}, merges=[])
    )
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=model, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>", model_max_length=longest, **options,
    )  # fmt: skip
    if specials:
        tokenizer.add_special_tokens({"additional_special_tokens": list(specials)})
    return tokenizer

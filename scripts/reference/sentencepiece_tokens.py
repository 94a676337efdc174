#!/usr/bin/env python3
"""Token ids of small Unigram models by SentencePiece itself (Debian: python3-sentencepiece 0.1.97), which shares nothing with pkg/text's.

    /usr/bin/python3 scripts/reference/sentencepiece_tokens.py > pkg/text/testdata/sentencepiece.json

The models are trained here, from the texts below, with normalisation rules of our own, and each is written as Hugging Face's converter
writes such a model as tokenizer.json: Precompiled and Replace, Metaspace, Unigram. The model file is read field by field
(sentencepiece_model.proto), so that no protobuf module is needed.
"""
import base64
import io
import json
import struct
import tempfile

import sentencepiece as spm

TEXTS = [
    "The quick brown fox jumps over the lazy dog.", "a quick dog jumps, the lazy fox sleeps", "strings being bowed while a clarinet answers",
    "été à la plage, naïve façade", "the ﬁrst ﬂute, the ﬁnal ﬂourish", "numbers 1 2 3 and ① ② ③ in circles", "brown foxes and brown dogs over brown hills",
    "jumping over being lazy, sleeping over the hills", "Ｆｕｌｌ ｗｉｄｔｈ letters", "first flute final full width",
]
TRY = TEXTS + [
    "", " ", "  two  spaces   three ", "tab\tand\nnewline", "e\u0301te\u0301 decomposed and e\u0301\u0301 twice", "abcabd abc ab a", "unknown 深層 letters 🎸🎸 here",
    "ﬁ", "①②", "thequickbrownfox", "x" * 70, "\u00a0nbsp\u3000ideographic",
]
# What is replaced, and by what. ab, abc and a begin one another; the longest counts.
RULES = {"ﬁ": "fi", "ﬂ": "fl", "①": "1", "②": "2", "③": "3", "\t": " ", "\n": " ", "\u00a0": " ", "\u3000": " ", "e\u0301": "é", "abc": "x", "ab": "yy", "\u200b": ""}
RULES.update({chr(0xFF21 + i): chr(0x41 + i) for i in range(26)})
RULES.update({chr(0xFF41 + i): chr(0x61 + i) for i in range(26)})


def fields(b):
    """The fields of a protobuf message: number and value."""
    at = 0

    def varint():
        nonlocal at
        n = shift = 0
        while True:
            c = b[at]
            at += 1
            n |= (c & 127) << shift
            shift += 7
            if c < 128:
                return n

    while at < len(b):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        n = varint() if kind == 2 else {1: 8, 5: 4}[kind]
        yield key >> 3, b[at:at + n]
        at += n


def tokenizer(model, fallback):
    """The model as tokenizer.json, with T5's end."""
    pieces, charsmap = [], b""
    for number, value in fields(model):
        if number == 1:
            piece = dict(fields(value))
            pieces.append([piece[1].decode(), struct.unpack("<f", piece[2])[0]])
        if number == 3:
            charsmap = dict(fields(value)).get(2, b"")
    unknown = [p for p, _ in pieces].index("<unk>")
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": p, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
                         for i, (p, _) in enumerate(pieces[:3])],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
            {"type": "Strip", "strip_left": True, "strip_right": True},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True, "prepend_scheme": "always"},
        "post_processor": None,
        "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
        "model": {"type": "Unigram", "unk_id": unknown, "vocab": pieces, "byte_fallback": fallback},
    }


def main():
    cases = []
    for fallback in (False, True):
        with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
            for source, target in RULES.items():
                rules.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
            rules.flush()
            model = io.BytesIO()
            spm.SentencePieceTrainer.train(sentence_iterator=iter(TEXTS * 3), model_writer=model, model_type="unigram", vocab_size=420 if fallback else 110,
                                           normalization_rule_tsv=rules.name, character_coverage=1.0, byte_fallback=fallback, pad_id=0, eos_id=1, unk_id=2,
                                           bos_id=-1, minloglevel=2, num_threads=1, hard_vocab_limit=False)
        processor = spm.SentencePieceProcessor(model_proto=model.getvalue())
        cases.append({"name": "byte fallback" if fallback else "unknown", "file": tokenizer(model.getvalue(), fallback),
                      "texts": [{"text": t, "ids": processor.encode(t)} for t in TRY]})
    print(json.dumps({"command": "/usr/bin/python3 scripts/reference/sentencepiece_tokens.py", "package": "sentencepiece " + spm.__version__, "cases": cases},
                     ensure_ascii=False))


main()

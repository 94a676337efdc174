#!/usr/bin/env python3
"""Hashed n-grams as pkg/text's documentation defines them, written from that text with Python's own Unicode tables and nothing else.

    scripts/reference/ngrams.py > pkg/text/testdata/ngrams.json

Each case: the options, the text (base64 of its bytes), and the vector as [index, value] pairs, each value a float32.
"""
import base64
import json
import math
import platform
import struct
import sys
import unicodedata

MASK = (1 << 64) - 1
TEXTS = [
    b"", b" \t\n", b"!?", b"a", b"The quick brown fox jumps over the lazy dog.",
    "Ça, c'est l'été: naïve façade — Ÿ Œuvre.".encode(),
    "e\u0301te\u0301 = été; ﬁne ＦＵＬＬ width ½ x²".encode(),
    "İstanbul ISPARTA ß ẞ ΟΔΥΣΣΕΥΣ Σ".encode(),
    "Москва, КИЇВ и Ёлка. Привет, мир!".encode(),
    "深層学習は、画像とテキスト。ﾃｽﾄ 한국어 텍스트".encode(),
    "हिन्दी में पाठ ๑๒๓ ไทย".encode(),
    "emoji 🎸🎻 and 👩‍🚀 flags 🇫🇷, snake_case co-op 3.14 1e-7".encode(),
    b"broken \xff bytes \xc3( and \xed\xa0\x80 surrogates\xe2\x82",
    ("strings being bowed, " * 20 + "a clarinet answers").encode(),
]
OPTIONS = [
    {"size": 64, "seed": 0, "words": [1, 2], "chars": [0, 0], "counts": False},
    {"size": 97, "seed": 1, "words": [0, 0], "chars": [3, 5], "counts": False},
    {"size": 1000, "seed": 18446744073709551615, "words": [1, 2], "chars": [3, 5], "counts": False},
    {"size": 7, "seed": 12345, "words": [2, 3], "chars": [1, 2], "counts": True},
    {"size": 1, "seed": 2, "words": [1, 1], "chars": [0, 0], "counts": False},
]


def words(data):
    text = unicodedata.normalize("NFKC", data.decode("utf-8", errors="replace"))
    out, word = [], ""
    for c in text:
        if unicodedata.category(c)[0] in "LMN":
            word += c.lower()[0]  # the simple mapping: U+0130 alone has a longer one, which begins with it
        elif word:
            out.append(word)
            word = ""
    return out + [word] if word else out


def grams(data, o):
    split = words(data)
    low, high = o["words"]
    for n in range(low, high + 1) if high else ():
        for i in range(len(split) - n + 1):
            yield b"w" + " ".join(split[i:i + n]).encode()
    low, high = o["chars"]
    for n in range(low, high + 1) if high else ():
        for word in split:
            padded = " " + word + " "
            for i in range(len(padded) - n + 1):
                yield b"c" + padded[i:i + n].encode()


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def vector(data, o):
    v = [0] * o["size"]
    for gram in grams(data, o):
        h = 0xCBF29CE484222325
        for b in struct.pack("<Q", o["seed"]) + gram:
            h = (h ^ b) * 0x100000001B3 & MASK
        h = mix(h)
        v[(h & (MASK >> 1)) % o["size"]] += -1 if h >> 63 else 1
    length = math.sqrt(sum(x * x for x in v))
    if not o["counts"] and length:
        v = [x / length for x in v]
    return [[i, struct.unpack("<f", struct.pack("<f", x))[0]] for i, x in enumerate(v) if x]


cases = [{"options": o, "text": base64.b64encode(t).decode(), "vector": vector(t, o)} for o in OPTIONS for t in TEXTS]
json.dump({"command": "python3 scripts/reference/ngrams.py", "python": platform.python_version(),
           "unicode": unicodedata.unidata_version, "cases": cases}, sys.stdout, separators=(",", ":"))
print()

// Token ids of small tokenizers by @huggingface/tokenizers 0.2.0, an implementation that shares nothing with pkg/text's.
//
//   npm install --no-save --ignore-scripts --prefix DIR @huggingface/tokenizers@0.2.0
//   node scripts/reference/tokens.mjs DIR > pkg/text/testdata/tokens.json
//
// The vocabularies are made here: WordPiece's from a list of pieces, the merges of byte-level BPE and Unigram's scores from the texts below.
import { createRequire } from "node:module";
import path from "node:path";
const require = createRequire(path.resolve(process.argv[2], "index.js"));
const { Tokenizer } = require("@huggingface/tokenizers");

// No capital sigma ends a word: JavaScript lowers it as Greek does, and Hugging Face's own library, in Rust, each character by itself.
const texts = [
  "", " ", "The quick brown fox jumps over the lazy dog.", "  Strings\tbeing bowed,\nwhile a CLARINET answers!  ",
  "unaffable unbelievably jumping-jumps don't we'll they've I'm he'd it's 'tis", "Été à la plage: naïve façade — “quoted” … ¿qué?",
  "深層学習 and 한국어 mixed 文", "numbers 3.14 1e-7 ½ x² 2026", "emoji 🎸🎻 tail", "a".repeat(101) + " fox", "a".repeat(100),
  "tabs\t\tand\n\n\nlines   spaces end   ", "İstanbul ΟΔΥΣΣΕΑ", "[CLS-like] [x] under_score @home #tag $5", "zero\u200bwidth\u0000nul\u00a0nbsp",
];

const pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "quick", "brown", "fox", "jump", "##s", "##ing", "over", "lazy", "dog", ".",
  ",", "!", "string", "being", "bow", "##ed", "while", "a", "clarinet", "answer", "un", "##aff", "##able", "##believ", "##ably", "-", "'", "don", "t",
  "we", "ll", "they", "ve", "i", "m", "he", "d", "it", "s", "ete", "la", "plage", ":", "naive", "facade", "—", "“", "”", "quoted", "and", "深", "層", "文",
  "mixed", "numbers", "3", "##14", "1", "##e", "7", "x", "²", "emoji", "tail", "##a", "tabs", "lines", "spaces", "end", "istanbul", "[", "]", "cl",
  "under", "_", "score", "@", "home", "#", "tag", "$", "5", "zero", "##width", "nbsp", "The", "Été", "à", "ο", "##δ", "1st"];
const wordpiece = (lowercase) => ({
  version: "1.0", truncation: null, padding: null,
  added_tokens: pieces.slice(0, 5).map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
  normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "[SEP]", type_id: 0 } }],
    pair: [], special_tokens: { "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] }, "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] } } },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100,
    vocab: Object.fromEntries(pieces.map((p, i) => [p, i])) },
});

// Byte-level BPE, learnt by the plain algorithm: 120 merges of the commonest pair.
const names = [];
for (let b = 0, next = 256; b < 256; b++)
  names.push(String.fromCodePoint((b >= 33 && b <= 126) || (b >= 0xa1 && b <= 0xac) || b >= 0xae ? b : next++));
const split = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
const learn = (words, n) => {
  const merges = [];
  while (merges.length < n) {
    const count = new Map();
    for (const w of words) for (let i = 0; i + 1 < w.length; i++) count.set(w[i] + " " + w[i + 1], (count.get(w[i] + " " + w[i + 1]) ?? 0) + 1);
    const [best] = [...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
    merges.push(best);
    const [l, r] = best.split(" ");
    words = words.map((w) => {
      const out = [];
      for (let i = 0; i < w.length; i++) if (w[i] === l && w[i + 1] === r) { out.push(l + r); i++; } else out.push(w[i]);
      return out;
    });
  }
  return merges;
};
const words = texts.flatMap((t) => t.match(split) ?? []).filter((w) => w.length < 50).map((w) => [...Buffer.from(w)].map((b) => names[b]));
const merges = learn(words, 120);
const tokens = ["<s>", "<pad>", "</s>", "<unk>", ...names, ...merges.map((m) => m.replace(" ", ""))];
const bpe = (prefix, listed) => ({
  version: "1.0", truncation: null, padding: null,
  added_tokens: tokens.slice(0, 4).map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: prefix, trim_offsets: true, use_regex: true },
  post_processor: prefix ? { type: "RobertaProcessing", sep: ["</s>", 2], cls: ["<s>", 0], trim_offsets: true, add_prefix_space: true }
    : { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "", end_of_word_suffix: "", fuse_unk: false,
    vocab: Object.fromEntries([...new Set(tokens)].map((t, i) => [t, i])), merges: listed ? merges.map((m) => m.split(" ")) : merges },
});

// CLIP's: the same over words in lower case, the last byte of each with </w>.
const clipSplit = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
let clipWords = texts.flatMap((t) => t.normalize("NFC").toLowerCase().match(new RegExp(clipSplit, "gu")) ?? []).filter((w) => w.length < 50)
  .map((w) => [...Buffer.from(w)].map((b, i, all) => names[b] + (i + 1 === all.length ? "</w>" : "")));
const clipMerges = learn(clipWords, 150);
const clipTokens = [...names, ...names.map((n) => n + "</w>"), ...clipMerges.map((m) => m.replace(" ", "")), "<|startoftext|>", "<|endoftext|>"];
const end = clipTokens.length - 1;
const clip = {
  version: "1.0", truncation: null, padding: null,
  added_tokens: [end - 1, end].map((id) => ({ id, content: clipTokens[id], single_word: false, lstrip: false, rstrip: false, normalized: id < end, special: true })),
  normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { Regex: "\\s+" }, content: " " }, { type: "Lowercase" }] },
  pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: clipSplit }, behavior: "Removed", invert: true },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true }] },
  post_processor: { type: "RobertaProcessing", sep: ["<|endoftext|>", end], cls: ["<|startoftext|>", end - 1], trim_offsets: false, add_prefix_space: false },
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: { type: "BPE", dropout: null, unk_token: "<|endoftext|>", continuing_subword_prefix: "", end_of_word_suffix: "</w>", fuse_unk: false,
    vocab: Object.fromEntries(clipTokens.map((t, i) => [t, i])), merges: clipMerges },
};

// Unigram's, as T5 and XLM-RoBERTa have it: every run of up to seven characters of a word that comes twice, with the logarithm of its share.
const counts = new Map();
for (const word of texts.flatMap((t) => t.split(/\s+/u)).filter((w) => w !== "" && w.length < 50)) {
  const chars = [..."\u2581" + word];
  for (let i = 0; i < chars.length; i++) for (let j = i + 1; j <= Math.min(chars.length, i + 7); j++) {
    const run = chars.slice(i, j).join("");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
}
const runs = [...counts].filter(([run, n]) => n > 1 || [...run].length === 4).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 400);
const sum = runs.reduce((s, [, n]) => s + n, 0);
// No two sums of scores are equal, so that no tie is broken: each has a share of its own of a little more.
const scored = runs.map(([run, n], i) => [run, Math.log(n / sum) - i * 1.37e-4 - (i % 7) * 3.1e-5]);
const unigram = (specials, pre, post) => ({
  version: "1.0", truncation: null, padding: null,
  added_tokens: specials.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
  normalizer: { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
  pre_tokenizer: pre, post_processor: post,
  decoder: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always", split: true },
  model: { type: "Unigram", unk_id: specials.indexOf("<unk>"), vocab: [...specials.map((s) => [s, 0]), ...scored], byte_fallback: false },
});
const metaspace = (scheme, split) => ({ type: "Metaspace", replacement: "\u2581", add_prefix_space: scheme !== "never", prepend_scheme: scheme, split });
const template = (single, ids) => ({ type: "TemplateProcessing", single: single.map((id) => (id === "A" ? { Sequence: { id, type_id: 0 } } : { SpecialToken: { id, type_id: 0 } })),
  pair: [], special_tokens: Object.fromEntries(ids.map(([id, n]) => [id, { id, ids: [n], tokens: [id] }])) });
const t5 = unigram(["<pad>", "</s>", "<unk>"], metaspace("always", true), template(["A", "</s>"], [["</s>", 1]]));
const xlmr = unigram(["<s>", "<pad>", "</s>", "<unk>"], { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace("always", true)] },
  template(["<s>", "A", "</s>"], [["<s>", 0], ["</s>", 2]]));
const whole = unigram(["<unk>"], metaspace("never", false), null);

const cases = { "wordpiece lower": wordpiece(true), "wordpiece cased": wordpiece(false), roberta: bpe(true, false), gpt2: bpe(false, true), clip, t5, xlmr, "unigram whole": whole };
const out = { command: "node scripts/reference/tokens.mjs", package: "@huggingface/tokenizers 0.2.0", node: process.version, vocab: pieces, cases: [] };
for (const [name, file] of Object.entries(cases)) {
  const t = new Tokenizer(file, {});
  out.cases.push({ name, file, texts: texts.map((text) => ({ text, ids: t.encode(text).ids })) });
}
console.log(JSON.stringify(out));

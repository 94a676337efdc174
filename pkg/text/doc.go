// Package text turns texts into tensors of one size: hashed n-grams, which need no vocabulary and no model, and the token ids
// that ONNX models of text take.
//
// # Hashed n-grams
//
// A Hasher writes a text as a vector of Size numbers, by signed feature hashing (Weinberger et al., ICML 2009): for every n-gram t
//
//	vector[h(t) mod Size] += sign(t)
//
// and at last, unless raw counts are asked for, the vector is divided by its Euclidean length. A text without n-grams is the zero
// vector. All of it is fixed, so that any machine and any other program can make the same numbers:
//
//   - The text is normalised to NFKC (stream-safe: a U+034F goes in after 30 combining marks in a row, UAX 15 section 13), and each
//     code point is then mapped to lower case by Unicode's simple mapping (one code point to one; U+0130 becomes i).
//   - Words are the longest runs of code points of the categories L, M and N. All else parts words, as do bytes that are no UTF-8.
//   - A word n-gram is n words in a row with one U+0020 between each two.
//   - A character n-gram is n code points in a row of one word with a U+0020 before and one behind it. No n-gram spans two words,
//     and one longer than the word with its spaces does not exist.
//   - The bytes hashed are the letter w (0x77) of a word n-gram or c (0x63) of a character n-gram, then the n-gram in UTF-8.
//   - The hash is 64-bit FNV-1a (Fowler, Noll, Vo; offset 0xcbf29ce484222325, prime 0x100000001b3) over the seed as eight little-endian
//     bytes and then these bytes, passed through the finaliser of splitmix64 (Steele et al., OOPSLA 2014; shifts 30, 27, 31 and the
//     multipliers 0xbf58476d1ce4e5b9, 0x94d049bb133111eb). Its highest bit is the sign, 1 for minus, and its other 63 bits are h(t).
//
// Normal forms, categories and cases are those of the Unicode version of golang.org/x/text and of Go; characters that a later version
// adds may differ there, all others stay.
//
// A text costs one pass over each of its n-grams' bytes, and memory of a small multiple of its length.
//
// # Token ids
//
// A Tokenizer reads what Hugging Face's libraries save beside a model: vocab.txt or tokenizer.json of BERT's WordPiece (Devlin et al.,
// NAACL 2019), tokenizer.json of byte-level BPE as GPT-2, RoBERTa (Radford et al., 2019) and CLIP (Radford et al., ICML 2021) have it, and
// of SentencePiece's Unigram (Kudo, ACL 2018) as T5 and XLM-RoBERTa do. It gives input ids and an attention mask of one fixed length.
package text

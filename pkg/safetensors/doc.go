// Package safetensors reads files of named tensors, as PyTorch's users exchange weights and embeddings: the length of the header in
// eight bytes, little endian, the header in JSON, and the tensors' data one after the other.
//
//	{"conv1.weight": {"dtype": "F32", "shape": [64,3,7,7], "data_offsets": [0,37632]}, "__metadata__": {"format": "pt"}}
//
// Source: the format's description at github.com/huggingface/safetensors. The header is read when the file is opened,
// and held against it: the data of all tensors covers what follows the header, with no gap and no overlap. A tensor's data is
// read when it is asked for, in as much memory as what is asked for takes.
package safetensors

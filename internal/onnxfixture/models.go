package onnxfixture

// Planes is a model of images (N,channels,?,?): the mean over rows and columns, and then a linear layer, width numbers a sample.
// w is (channels, width).
func Planes(channels int, w []float32) Model {
	width := len(w) / channels
	return Model{
		Inputs:  []Value{{"pixels", Float, []int{-1, channels, -1, -1}}},
		Outputs: []Value{{"embedding", Float, []int{-1, width}}, {"maps", Float, []int{-1, channels, -1, -1}}},
		Nodes: []Node{
			{Op: "ReduceMean", Inputs: []string{"pixels"}, Outputs: []string{"means"}, Ints: map[string][]int{"axes": {2, 3}}, Int: map[string]int{"keepdims": 0}},
			{Op: "MatMul", Inputs: []string{"means", "w"}, Outputs: []string{"embedding"}},
			{Op: "Relu", Inputs: []string{"pixels"}, Outputs: []string{"maps"}}},
		Weights: []Weight{{"w", []int{channels, width}, w}},
	}
}

// Tokens is a model of texts as Hugging Face's exports have it: the rows (width) of a table by input_ids, plus what token_type_ids, which
// are to be 0, would change.
func Tokens(rows, width int, table []float32) Model {
	open := []int{-1, -1}
	return Model{
		Inputs:  []Value{{"input_ids", Int64, open}, {"attention_mask", Int64, open}, {"token_type_ids", Int64, open}},
		Outputs: []Value{{"last_hidden_state", Float, []int{-1, -1, width}}, {"mask", Int64, open}},
		Nodes: []Node{
			{Op: "Add", Inputs: []string{"input_ids", "token_type_ids"}, Outputs: []string{"at"}},
			{Op: "Gather", Inputs: []string{"table", "at"}, Outputs: []string{"last_hidden_state"}},
			{Op: "Identity", Inputs: []string{"attention_mask"}, Outputs: []string{"mask"}}},
		Weights: []Weight{{"table", []int{rows, width}, table}},
	}
}

// Bytes3 is a model of images (4,?,?,3) of uint8, channels last, four at a time: the mean colour.
func Bytes3() Model {
	return Model{
		Inputs:  []Value{{"image", Uint8, []int{4, -1, -1, 3}}},
		Outputs: []Value{{"colour", Float, []int{4, 3}}},
		Nodes: []Node{
			{Op: "Cast", Inputs: []string{"image"}, Outputs: []string{"floats"}, Int: map[string]int{"to": Float}},
			{Op: "ReduceMean", Inputs: []string{"floats"}, Outputs: []string{"colour"}, Ints: map[string][]int{"axes": {1, 2}}, Int: map[string]int{"keepdims": 0}}},
	}
}

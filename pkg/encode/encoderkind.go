package encode

import (
	"strconv"
	"strings"

	"mmtools/pkg/onnx"
)

// EncoderKind reads NAME=FILE.onnx[:KEY=VALUE,...]: the column is the model's file, and NAME the modality that it is run over. Its Spec
// is an EncoderSpec whose Inner is still to be set.
var EncoderKind = Kind{
	Name: "encoder",
	Help: "What an ONNX model makes of modality NAME.",
	Keys: []Key{
		{"input", "NAME", "", "Feed this input of the model; without it the first, or input_ids where the modality is token ids."},
		{"output", "NAME", "", "Keep this output; without it the first."},
		{"pool", "HOW", "none", "Pool each sample's output: mean over the positions of a sequence, padding left out; first, its first position; space, the mean over all axes behind the channels."},
		{"each", "HOW", "none", "Run the model on each slice along the tensor's first axis, such as a video's frames, and keep all outputs or their mean."},
		{"batch", "N", "0", "Run N samples at once; 0 takes 16, or what the model fixes."},
		{"divide", "X", "0", "Divide by X first; 0 takes 255 for pixels where the model takes floats, else 1."},
		{"mean", "X/X/X", "", "Then take off X, one for all or one a channel."},
		{"std", "X/X/X", "", "Then divide by X, one for all or one a channel."},
		{"layout", "chw|hwc", "chw", "Feed images channels first, or last with hwc."},
		{"device", "cpu|cuda", "cpu", "Run on the CPU, or through ONNX Runtime's CUDA provider where it has one."},
	},
	Parse: func(name, file string, v *Values) Spec {
		o := EncoderOptions{Name: name, File: file, Input: v.Text("input"), Output: v.Text("output"), Batch: v.Int("batch"),
			Each: Each(v.OneOf("each", "none", "all", "mean")), Divide: v.Float("divide"), Mean: numberList(v, "mean"), Std: numberList(v, "std"),
			Last: v.OneOf("layout", "chw", "hwc") == "hwc", CUDA: v.OneOf("device", "cpu", "cuda") == "cuda"}
		if pool := v.OneOf("pool", "none", string(onnx.Mean), string(onnx.First), string(onnx.Spatial)); pool != "none" {
			o.Pool = onnx.Pool(pool)
		}
		if o.Batch < 0 || o.Batch > 1<<16 {
			v.refuse("batch", "a number from 0 to 65536")
		}
		return EncoderSpec{nil, o}
	},
}

// numberList reads X/X/X; "" is none.
func numberList(v *Values, name string) []float64 {
	if v.Text(name) == "" {
		return nil
	}
	var list []float64
	for _, part := range strings.Split(v.Text(name), "/") {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || x-x != 0 {
			v.refuse(name, "numbers with / between them")
		}
		list = append(list, x)
	}
	return list
}

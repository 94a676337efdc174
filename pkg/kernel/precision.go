package kernel

// Precision is what a device computes its large products and convolutions in. Parameters, their moments, statistics, sums and the
// loss are float32 or more in all.
type Precision string

// The precisions. TF32 and BF16 round what is multiplied to 10 and 7 bits behind the point and sum in float32.
const (
	Float32 Precision = "float32"
	TF32    Precision = "tf32" // NVIDIA GPUs
	BF16    Precision = "bf16"
)

package kernel

import "math"

// Precision is what a device computes its large products and convolutions in. Parameters, their moments, statistics, sums and the
// loss are float32 or more in all.
type Precision string

// The precisions. TF32 and BF16 round what is multiplied to 10 and 7 bits behind the point and sum in float32.
const (
	Float32 Precision = "float32"
	TF32    Precision = "tf32" // NVIDIA GPUs
	BF16    Precision = "bf16"
)

// RoundBF16 writes x rounded to bfloat16, to even, to y, which may be x. What is not a number stays none.
func RoundBF16(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		bits := math.Float32bits(v)
		if v == v {
			bits += 0x7fff + bits>>16&1
		} else {
			bits |= 1 << 22 // cut, its only bits could be gone
		}
		y[i] = math.Float32frombits(bits &^ 0xffff)
	}
}

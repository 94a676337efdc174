package cpu

import (
	"fmt"

	"mmtools/pkg/kernel"
)

// factor returns x, of n elements, as products take it: itself, or, in bf16, rounded, in memory number slot. The product of two
// bfloat16 is exact in float32, in which they are multiplied and summed: without tiles of bfloat16 (AMX) nothing is faster. The first
// minibatch takes the memory; steps after it allocate nothing.
func (d *Device) factor(slot int, x kernel.Buffer, n int) kernel.Buffer {
	if !d.bf16 {
		return x
	}
	if b := d.rounded[slot]; b == nil || b.Len() < n {
		b, err := d.Alloc(n) // a smaller one is freed with the device
		if err != nil {
			panic(fmt.Sprintf("cpu: rounding to bfloat16: %v", err))
		}
		d.rounded[slot] = b
	}
	d.round(d.rounded[slot], x, n)
	return d.rounded[slot]
}

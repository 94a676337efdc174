package cpu_test

import (
	"fmt"

	"mmtools/pkg/kernel/cpu"
)

// A layer of two outputs on one row of three inputs: y = max(0, x wᵀ + b).
func Example() {
	d, err := cpu.New(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	all, err := d.Alloc(3 + 6 + 2 + 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, w, b, y := all.Slice(0, 3), all.Slice(3, 9), all.Slice(9, 11), all.Slice(11, 13)
	d.Upload(x, []float32{1, 2, 3})
	d.Upload(w, []float32{1, 0, 1, -1, -1, -1})
	d.Upload(b, []float32{0.5, 0.5})
	d.Linear(y, x, w, b, 1, 2, 3, true)
	out := make([]float32, 2)
	d.Download(out, y)
	fmt.Println(out)
	// Output: [4.5 0]
}

package op

import (
	"fmt"

	"mmtools/pkg/kernel"
)

// Fuse returns one operation that does what inner and then outer do, the latter on the former's result as its first input, where there is
// one. Its inputs are inner's, then the others of outer's.
func Fuse(inner, outer Op) (Op, bool) {
	slice, isSlice := inner.(maskedSlice)
	relu, isReLU := outer.(reluGrad)
	if !isSlice || !isReLU || slice.width != relu.n {
		return nil, false
	}
	return maskedSliceReLU{slice}, true
}

// maskedSliceReLU is reluGrad of maskedSlice: dx = keep_player dy[:, from:from+width] where y > 0, else 0. dy (B,total), keep (B,players), y and
// dx (B,width).
type maskedSliceReLU struct{ maskedSlice }

func (o maskedSliceReLU) Arity() int     { return 3 }
func (o maskedSliceReLU) String() string { return fmt.Sprintf("%v,ReLU", o.maskedSlice) }

func (o maskedSliceReLU) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.MaskedSlice(out, in[0], in[1], in[2], rows, o.total, o.from, o.width, o.player, o.players)
}

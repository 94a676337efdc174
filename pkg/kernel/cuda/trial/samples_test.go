//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestGather(t *testing.T) {
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][3]int{{0, 3, 4}, {1, 1, 1}, {5, 9, 8}, {64, 100, 20}, {7, 3, 401}} {
			rows, all, size := s[0], s[1], s[2]
			r := newRig(t, shift, rows, all, size)
			x, index := r.uniform(all*size), make([]int64, rows)
			for i := range index {
				index[i] = int64(r.random.IntN(all))
			}
			octets, halves := r.bytes(all*size), r.bytes(2*all*size)
			asOctets, asHalves := make([]float32, all*size), make([]float32, all*size)
			for i := range x {
				octets.Bytes()[i] = byte(i)
				asOctets[i] = float32(byte(i))
				h := uint16(i * 37)
				halves.Bytes()[2*i], halves.Bytes()[2*i+1] = byte(h), byte(h>>8)
				asHalves[i] = half(h)
			}
			for _, test := range []struct {
				name  string
				table Memory
				x     []float32
			}{{"mm_gather", r.floats(x), x}, {"mm_gather_bytes", octets, asOctets}, {"mm_gather_halves", halves, asHalves}} {
				want := make([]float32, rows*size)
				for i := range want {
					want[i] = test.x[int(index[i/size])*size+i%size]
				}
				y := r.output(rows * size)
				r.launch(test.name, elements, y, test.table, r.ints(index), rows, size)
				same(t, fmt.Sprintf("%s %v", test.name, s), y.Floats(), want)
				if rows <= all {
					r.launch(test.name, elements, y, test.table, Memory{}, rows, size)
					same(t, fmt.Sprintf("%s %v in order", test.name, s), y.Floats(), test.x[:rows*size])
				}
			}
		}
	})
}

func TestScatter(t *testing.T) {
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][3]int{{0, 3, 4}, {1, 1, 1}, {1, 64, 1}, {5, 9, 8}, {7, 7, 401}} {
			rows, all, size := s[0], s[1], s[2]
			r := newRig(t, shift, rows, all, size)
			x, before, index := r.uniform(rows*size), r.uniform(all*size), make([]int64, rows)
			want := slices.Clone(before)
			for i, to := range r.random.Perm(all)[:rows] {
				index[i] = int64(to)
				copy(want[to*size:][:size], x[i*size:])
			}
			table := r.floats(before)
			r.launch("mm_scatter", elements, table, r.floats(x), r.ints(index), rows, size)
			same(t, fmt.Sprint(s), table.Floats(), want)
		}
	})
}

// half is a float16 as IEEE 754 defines it.
func half(bits uint16) float32 {
	sign, exponent, fraction := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&1023)
	switch {
	case exponent == 31 && fraction != 0:
		return float32(math.NaN())
	case exponent == 31:
		return float32(math.Inf(int(sign)))
	case exponent == 0:
		return float32(sign * math.Ldexp(fraction, -24))
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}

func TestHalves(t *testing.T) {
	r := newRig(t, 0)
	const all = 1 << 16
	table := r.bytes(2 * all)
	want := make([]float32, all)
	for i := range want {
		table.Bytes()[2*i], table.Bytes()[2*i+1] = byte(i), byte(i>>8)
		want[i] = half(uint16(i))
	}
	y := r.output(all)
	r.launch("mm_gather_halves", blocks(7, 1, 1), y, table, Memory{}, all, 1)
	same(t, "float16", y.Floats(), want)
}

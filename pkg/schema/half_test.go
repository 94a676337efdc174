package schema

import (
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/float16"
)

// Every half is held to its definition: (-1)^s 2^(e-15) (1 + f/1024), without the 1 where e is 0, e then 1.
func TestHalf(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, fraction := 1.0, bits>>10&31, float64(bits&1023)/1024
		if bits>>15 == 1 {
			sign = -1
		}
		want := sign * math.Ldexp(1+fraction, exponent-15)
		switch {
		case exponent == 0:
			want = sign * math.Ldexp(fraction, -14)
		case exponent == 31 && fraction == 0:
			want = math.Inf(int(sign))
		case exponent == 31:
			want = math.NaN()
		}
		got := float64(Half(float16.FromBits(uint16(bits))))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%#04x: got %v, want %v", bits, got, want)
		}
		if want == 0 && math.Signbit(got) != (sign < 0) {
			t.Fatalf("%#04x: zero of the wrong sign", bits)
		}
	}
}

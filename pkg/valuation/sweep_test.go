package valuation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/modality"
)

// coalitionLogits is the reference: bias plus the parts of the members in order.
func coalitionLogits(bias []float32, parts [][]float32, c modality.Coalition) []float32 {
	logits := slices.Clone(bias)
	for i := range c.Members() {
		for k := range logits {
			logits[k] += parts[i][k]
		}
	}
	return logits
}

// firstMax is the index of the first maximum, as torch.argmax returns it.
func firstMax(x []float32) int {
	return slices.Index(x, slices.Max(x))
}

func TestSweep(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := 0; n <= 7; n++ {
		for trial := range 200 {
			classes := 1 + r.IntN(5)
			draw := func() []float32 {
				x := make([]float32, classes)
				for k := range x {
					x[k] = float32(r.NormFloat64())
					if trial%2 == 0 { // small integers, so that there are ties
						x[k] = float32(r.IntN(3))
					}
				}
				return x
			}
			s := newSweeper(max(n, 1), classes)
			bias, label := draw(), r.IntN(classes)
			for range n {
				s.parts = append(s.parts, draw())
			}
			whole, right := make([]float32, classes), make([]bool, 1<<n)
			if !s.sweep(bias, label, whole, right) {
				t.Fatal("finite logits are reported as not finite")
			}
			for c := range modality.Coalition(1 << n) {
				want := firstMax(coalitionLogits(bias, s.parts, c)) == label
				if right[c] != want {
					t.Fatalf("n=%d coalition %b: got %t, want %t", n, c, right[c], want)
				}
			}
			want := coalitionLogits(bias, s.parts, modality.All(n))
			if !slices.Equal(whole, want) || int(argmax(whole)) != firstMax(want) {
				t.Fatalf("n=%d: logits %v, want %v", n, whole, want)
			}
		}
	}
}

func TestSweepNotFinite(t *testing.T) {
	big := float32(3e38)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name   string
		bias   []float32
		parts  [][]float32
		finite bool
	}{
		{"large but finite", []float32{0, big}, [][]float32{{1, 1}, {0, -big}}, true},
		{"NaN in a part", []float32{0, 0}, [][]float32{{1, nan}, {0, 0}}, false},
		{"infinity in the bias", []float32{-inf, 0}, [][]float32{{1, 1}, {0, 0}}, false},
		{"overflow that the whole cancels", []float32{0, 0}, [][]float32{{-big, 0}, {big, 0}, {big, 0}}, false},
		{"overflow of the whole", []float32{0, big}, [][]float32{{0, big}}, false},
	} {
		s := newSweeper(3, 2)
		s.parts = append(s.parts, c.parts...)
		right := make([]bool, 1<<len(c.parts))
		if got := s.sweep(c.bias, 0, make([]float32, 2), right); got != c.finite {
			t.Errorf("%s: got %t", c.name, got)
		}
	}
}

func TestSpreadAndGather(t *testing.T) {
	for present := range modality.Coalition(1 << 6) {
		m := present.Size()
		won := make([]bool, 1<<m)
		for k := range won {
			won[k] = k*7%3 == 1
		}
		right, back := make([]bool, 1<<6), make([]bool, 1<<m)
		spread(present, won, right)
		for c := range modality.Coalition(1 << 6) {
			if right[c] != right[c&present] {
				t.Fatalf("present %b: %b differs from its members %b", present, c, c&present)
			}
		}
		gather(present, right, back)
		if !slices.Equal(won, back) {
			t.Fatalf("present %b: got %v, want %v", present, back, won)
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	for _, n := range []int{2, 3, 6, 12} {
		for _, classes := range []int{10, 31} {
			b.Run(fmt.Sprintf("n=%d,classes=%d", n, classes), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				draw := func() []float32 {
					x := make([]float32, classes)
					for k := range x {
						x[k] = float32(r.NormFloat64())
					}
					return x
				}
				s := newSweeper(n, classes)
				for range n {
					s.parts = append(s.parts, draw())
				}
				bias, whole, right := draw(), make([]float32, classes), make([]bool, 1<<n)
				b.ReportAllocs()
				label := 0
				for b.Loop() {
					s.sweep(bias, label, whole, right)
					label = (label + 1) % classes
				}
			})
		}
	}
}

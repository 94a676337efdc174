package shapley

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkExact(b *testing.B) {
	for _, n := range []int{2, 6, 12, 20} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			s := NewSolver(n)
			values, phi := make([]float64, 1<<n), make([]float64, n)
			for c := range values {
				values[c] = rand.Float64()
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Exact(values, phi)
			}
		})
	}
}

func BenchmarkExactInt(b *testing.B) {
	for _, n := range []int{2, 6, 12, 20} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			s := NewSolver(n)
			values, numerators := make([]int64, 1<<n), make([]int64, n)
			for c := range values {
				values[c] = rand.Int64N(21)
			}
			b.ReportAllocs()
			for b.Loop() {
				s.ExactInt(values, numerators)
			}
		})
	}
}

func BenchmarkExactWon(b *testing.B) {
	for _, n := range []int{2, 6, 12, 20} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			s := NewSolver(n)
			won, numerators := make([]bool, 1<<n), make([]int64, n)
			for c := range won {
				won[c] = rand.IntN(2) == 1
			}
			b.ReportAllocs()
			for b.Loop() {
				s.ExactWon(won, numerators)
			}
		})
	}
}

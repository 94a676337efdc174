package shapley

import (
	"math"
	"math/rand/v2"
)

// kernel estimates phi as the additive game that is nearest to the game: the weighted least squares
//
//	minimize sum over S of w(S) (v(S) - v({}) - sum over i in S of phi_i)^2    with sum phi_i = v(N) - v({})
//	w(S) proportional to 1 / (binomial(n,s) s (n-s)),  s = |S|
//
// whose solution is the Shapley value (A. Charnes, B. Golany, M. Keane and J. Rousseau, 1988; S. Lundberg and S.-I. Lee, A
// unified approach to interpreting model predictions, NeurIPS 2017, theorem 2), over sets drawn as w says, each with its
// complement (I. Covert and S.-I. Lee, Improving KernelSHAP, AISTATS 2021). Of a pair only the difference tells anything of
// phi, and what is left is ordinary least squares, with x_i = 1 where i is in S and -1 where not:
//
//	v(S) - v(N\S) = sum over i of x_i phi_i + e
//
// Standard errors are those of regression with errors of any size, with the leverage of every pair taken out (HC3: J.
// MacKinnon and H. White, Journal of Econometrics 29, 1985). A draw costs two evaluations; sets and differences are kept,
// 16 bytes a draw. The estimate is efficient.
type kernel struct {
	n       int
	game    Game
	total   float64
	bySize  []float64 // the probability of a size up to s+1
	players []int

	sets        []uint64
	differences []float64

	gram, inverse, meat []float64 // (n-1,n-1)
	d, moment, solution []float64 // (n-1)
}

func newKernel(n int) *kernel {
	k := &kernel{n: n, players: make([]int, n)}
	sum := 0.0
	for s := 1; s < n; s++ {
		sum += 1 / float64(s*(n-s))
		k.bySize = append(k.bySize, sum)
	}
	for s := range k.bySize {
		k.bySize[s] /= sum
	}
	m := n - 1
	k.gram, k.inverse, k.meat = make([]float64, m*m), make([]float64, m*m), make([]float64, m*m)
	k.d, k.moment, k.solution = make([]float64, m), make([]float64, m), make([]float64, m)
	return k
}

func (k *kernel) cost() int  { return 2 }
func (k *kernel) least() int { return 4 * max(k.n, 4) }

func (k *kernel) start(game Game, empty, whole float64) {
	k.game, k.total = game, whole-empty
	k.sets, k.differences = k.sets[:0], k.differences[:0]
	for i := range k.players {
		k.players[i] = i
	}
}

func (k *kernel) draw(random *rand.Rand) {
	u, size := random.Float64(), 1
	for size < k.n-1 && u >= k.bySize[size-1] {
		size++
	}
	var set uint64
	for at := range size {
		other := at + random.IntN(k.n-at)
		k.players[at], k.players[other] = k.players[other], k.players[at]
		set |= 1 << k.players[at]
	}
	k.sets = append(k.sets, set)
	k.differences = append(k.differences, k.game(set)-k.game(^set&(1<<k.n-1)))
}

// row writes the regressors of draw t with the last player's phi eliminated by efficiency, and returns what they explain.
func (k *kernel) row(t int) float64 {
	last := sign(k.sets[t], k.n-1)
	for i := range k.d {
		k.d[i] = sign(k.sets[t], i) - last
	}
	return k.differences[t] - last*k.total
}

func sign(set uint64, i int) float64 { return float64(2*int(set>>i&1) - 1) }

func (k *kernel) estimate(phi, stderr, freedom []float64) (enough bool) {
	m := k.n - 1
	clear(k.gram)
	clear(k.moment)
	for t := range k.sets {
		y := k.row(t)
		for i, d := range k.d {
			k.moment[i] += d * y
			for j := range i + 1 {
				k.gram[i*m+j] += d * k.d[j]
			}
		}
	}
	if !invert(k.gram, k.inverse, m) {
		return false
	}
	multiply(k.inverse, k.moment, k.solution)
	phi[m] = k.total
	for i, x := range k.solution {
		phi[i] = x
		phi[m] -= x
	}
	k.spread(stderr)
	for i := range freedom {
		freedom[i] = float64(max(leastFreedom, len(k.sets)-m))
	}
	return true
}

// spread writes the standard errors: with A the inverse of the Gram matrix, those of A (sum of d dᵀ e²/(1-h)²) A, h = dᵀ A d.
func (k *kernel) spread(stderr []float64) {
	m := k.n - 1
	clear(k.meat)
	for t := range k.sets {
		y := k.row(t)
		for i, d := range k.d {
			y -= d * k.solution[i]
		}
		multiply(k.inverse, k.d, k.moment)
		leverage := 0.0
		for i, d := range k.d {
			leverage += d * k.moment[i]
		}
		e := y / max(1-leverage, 1e-6)
		for i, a := range k.moment { // A d e, whose outer products sum to the covariance
			for j, b := range k.moment {
				k.meat[i*m+j] += a * b * e * e
			}
		}
	}
	last := 0.0
	for i := range m {
		stderr[i] = math.Sqrt(k.meat[i*m+i])
		for j := range m {
			last += k.meat[i*m+j]
		}
	}
	stderr[m] = math.Sqrt(max(last, 0))
}

// multiply writes the product of a symmetric matrix a, (m,m), and x, (m), to dst.
func multiply(a, x, dst []float64) {
	m := len(x)
	for i := range dst {
		sum := 0.0
		for j, v := range x {
			sum += a[i*m+j] * v
		}
		dst[i] = sum
	}
}

// invert writes the inverse of a symmetric positive matrix, given by its lower triangle a, (m,m), which is used up: by
// Cholesky's decomposition. It reports false where the matrix is not safely positive.
func invert(a, inverse []float64, m int) bool {
	for i := range m {
		whole := a[i*m+i]
		for j := range i + 1 {
			sum := a[i*m+j]
			for k := range j {
				sum -= a[i*m+k] * a[j*m+k]
			}
			if i == j {
				if !(sum > 1e-9*whole) {
					return false
				}
				a[i*m+i] = math.Sqrt(sum)
			} else {
				a[i*m+j] = sum / a[j*m+j]
			}
		}
	}
	for c := range m { // column c of the inverse: forward, then backward
		for i := range m {
			sum := 0.0
			if i == c {
				sum = 1
			}
			for k := range i {
				sum -= a[i*m+k] * inverse[k*m+c]
			}
			inverse[i*m+c] = sum / a[i*m+i]
		}
		for i := m - 1; i >= 0; i-- {
			sum := inverse[i*m+c]
			for k := i + 1; k < m; k++ {
				sum -= a[k*m+i] * inverse[k*m+c]
			}
			inverse[i*m+c] = sum / a[i*m+i]
		}
	}
	return true
}

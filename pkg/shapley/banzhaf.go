package shapley

import "math"

// Banzhaf writes the Banzhaf values of the game values, (2^n), to phi, (n): what a player adds, averaged over all
// coalitions of the others, each as likely,
//
//	beta_i = 1/2^(n-1) sum over S in N\{i} of v(S+i) - v(S)
//
// They need not sum to v(N) - v({}); with n up to 2 they are the Shapley values. The cost is that of Exact. (J. F. Banzhaf,
// Weighted voting doesn't work, Rutgers Law Review 19, 1965; P. Dubey and L. S. Shapley, 1979.)
func (s *Solver) Banzhaf(values, phi []float64) {
	s.check(len(values), len(phi))
	if s.fold == nil {
		s.fold = make([]float64, 1<<(s.n-1))
	}
	if s.banzhafMember == nil {
		w := math.Ldexp(1, -(s.n - 1))
		for range s.n + 1 {
			s.banzhafMember, s.banzhafEvery = append(s.banzhafMember, 2*w), append(s.banzhafEvery, w)
		}
	}
	solve(values, phi, s.banzhafMember, s.banzhafEvery, s.fold)
}

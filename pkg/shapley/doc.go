// Package shapley computes the Shapley values of a cooperative game: exactly of up to 20 players, estimated with standard
// errors of up to 64.
//
// A game of n players gives every coalition C, a subset of {0..n-1}, a value v(C). The value of player i is its
// marginal contribution averaged over all orders in which the players may join:
//
//	phi_i = sum over S in N\{i} of w(|S|) (v(S+i) - v(S)),    w(s) = s! (n-s-1)! / n!
//
// It is the only division of v(N) - v({}) that is efficient (the phi_i sum to it), symmetric, additive in games, and
// gives nothing to a player who never changes a coalition's value. A coalition is the index of a slice: bit i says
// that player i is in, and a game is the slice of its 2^n values.
//
// Collecting the coefficient of each v(C), with s = |C| and w(n) taken as 0,
//
//	phi_i = sum over C containing i of (w(s-1) + w(s)) v(C)  -  sum over all C of w(s) v(C)
//
// so that only the sums over "C containing i" depend on i. They come from halving: the upper half of the table holds
// the coalitions of the last player; its sum is that player's, and folding it onto the lower half leaves the same
// problem with one player fewer. The cost is below 2·2^n additions for all players together, not n·2^n.
//
// Integer games have exact answers. 1/w(s) = n·binomial(n-1, s), and n·lcm over k of binomial(n-1, k) = lcm(1..n)
// (Farhi 2009), so that every w(s) is a multiple of 1/lcm(1..n): with Denominator(n) = lcm(1..n), at most 232792560,
// Denominator(n)·phi_i is an integer. Sums of such numerators over many games are exact and independent of order.
//
// In floating point the two sums cancel, and the error is about 1e-16·n·max|v|, growing to about 1e-12·max|v| at 20
// players; integer games have no error.
//
// Sources: L. S. Shapley, A value for n-person games, Contributions to the Theory of Games II, 1953; B. Farhi, An
// identity involving the least common multiple of binomial coefficients and its application, American Mathematical
// Monthly 116, 2009; Y. Wei, R. Feng, Z. Wang and D. Hu, Enhancing Multimodal Cooperation via Sample-level Modality
// Valuation, CVPR 2024 (equations 1 to 3), whose value function v(C) = |C| [C is right] has its own path, ExactWon.
//
// A Sampler estimates phi from some coalitions where there are too many: over random orders (Permutation), from the
// multilinear extension (Owen) or by regression (Kernel), until a Rule is met. Every estimate has the standard error that
// its independent draws show.
//
// Beside the Shapley value a Solver has the Banzhaf value, which is not efficient, and the Shapley interaction index of
// pairs; Cooperation is what the whole earns beyond its parts.
//
// Limits: exactly 1 to 20 players, time and memory of order 2^n; sampled 1 to 64.
package shapley

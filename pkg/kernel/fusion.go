package kernel

import "fmt"

// Elementwise is what fusions need beside Dense: kernels that take n elements one by one. Functions are computed in float64
// and rounded once.
type Elementwise interface {
	// Mul writes y = a * b over n elements; y may be a or b.
	Mul(y, a, b Buffer, n int)
	// Scale writes y = factor * x over n elements; y may be x.
	Scale(y, x Buffer, n int, factor float32)
	// Tanh writes y = tanh(x) over n elements; y may be x.
	Tanh(y, x Buffer, n int)
	// TanhGrad writes dx = dy (1 - y²) over n elements, y being Tanh's result; dx may be dy.
	TanhGrad(dx, dy, y Buffer, n int)
	// Sigmoid writes y = 1 / (1 + exp(-x)) over n elements; y may be x.
	Sigmoid(y, x Buffer, n int)
	// SigmoidGrad writes dx = dy y (1 - y) over n elements, y being Sigmoid's result; dx may be dy.
	SigmoidGrad(dx, dy, y Buffer, n int)
}

// Modulation is feature-wise linear modulation, y = gamma * x + beta (Perez, Strub, de Vries, Dumoulin and Courville, AAAI
// 2018). Gamma and beta lie side by side, as one linear layer gives them: modulator (M,2N) is [gamma, beta].
type Modulation interface {
	// Modulate writes y = gamma * x + beta. modulator (M,2N), x and y (M,N); y may be x.
	Modulate(y, modulator, x Buffer, m, n int)
	// ModulateGradInput writes dx = dy * gamma. dy and dx (M,N), modulator (M,2N); dx may be dy.
	ModulateGradInput(dx, dy, modulator Buffer, m, n int)
	// ModulateGradModulator writes [dy * x, dy]. dy and x (M,N), dmodulator (M,2N).
	ModulateGradModulator(dmodulator, dy, x Buffer, m, n int)
}

// Attention is the shape of one layer of self-attention among the tokens of a row. Width is a multiple of Heads.
type Attention struct{ Tokens, Heads, Width int }

// MaxTokens is the largest number of tokens of a row: as many as modalities.
const MaxTokens = 64

// Check returns an error that tells what no attention could have.
func (a Attention) Check() error {
	switch {
	case a.Tokens < 1 || a.Tokens > MaxTokens:
		return fmt.Errorf("attention among %d tokens: want 1 to %d", a.Tokens, MaxTokens)
	case a.Heads < 1 || a.Width < 1 || a.Width%a.Heads != 0:
		return fmt.Errorf("attention of %d heads over a width of %d: want a multiple", a.Heads, a.Width)
	}
	return nil
}

// Tokens is attention among the present tokens of each row (Vaswani et al. 2017, section 3.2) and their mean. keep (M,T) is
// 1 where a token is present. An absent token is no key, so that no token attends to it, and as a query gives zeros; it
// takes part in no sum, even where it is not finite, and its gradient is zero.
type Tokens interface {
	// Attend writes, for each head h of width d = Width/Heads and each present token i of a row,
	//
	//	y_i = sum over present j of softmax_j(q_i k_j / sqrt(d)) v_j
	//
	// with the heads side by side. qkv (M,T,3,Width) holds query, key and value of each token, y (M,T,Width). Scores and
	// softmax are in float64.
	Attend(y, qkv, keep Buffer, m int, a Attention)
	// AttendGrad writes the gradient of qkv. dy (M,T,Width), qkv and dqkv (M,T,3,Width).
	AttendGrad(dqkv, dy, qkv, keep Buffer, m int, a Attention)
	// MaskedMean writes the mean over the present tokens of each row, zeros where there is none. x (M,T,N), y (M,N).
	MaskedMean(y, x, keep Buffer, m, tokens, n int)
	// MaskedMeanGrad writes the gradient of x. dy (M,N), dx (M,T,N).
	MaskedMeanGrad(dx, dy, keep Buffer, m, tokens, n int)
}

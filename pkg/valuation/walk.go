package valuation

// walker goes through the logits of every coalition of one sample, where a modality that a coalition lacks may put a part
// of its own in:
//
//	logits(S) = bias + sum over i in order of (parts_i where i is in S, else absent_i)
//
// It is a walk down a tree of one level a modality, so that 2^m - 1 parts are added where absent ones are zero and twice
// as many where they are not. It is used by one goroutine.
type walker struct {
	classes       int
	sums          []float32   // (n,C): the sums along the path
	parts, absent [][]float32 // (m,C); absent is empty where it is zero
	leaf          func(c int, logits []float32)
}

func newWalker(n, classes int) *walker {
	return &walker{classes: classes, sums: make([]float32, n*classes)}
}

// walk calls leaf for each of the 2^m coalitions of the parts, once.
func (w *walker) walk(bias []float32) { w.visit(bias, 0, 0) }

func (w *walker) visit(sum []float32, c, level int) {
	if level == len(w.parts) {
		w.leaf(c, sum)
		return
	}
	next := w.sums[level*w.classes:][:w.classes]
	if len(w.absent) == 0 {
		w.visit(sum, c, level+1)
	} else {
		add(next, sum, w.absent[level])
		w.visit(next, c, level+1)
	}
	add(next, sum, w.parts[level])
	w.visit(next, c|1<<level, level+1)
}

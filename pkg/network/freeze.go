package network

// A frozen backbone is part of the model and is not trained: its parameters get no gradient, and nothing of the backward
// graph below its feature is planned. Its batch normalisations use their running statistics, which stay, in training as in
// evaluation, as torch.nn.Module.eval does together with requires_grad_(False).

// declareBackbone adds a backbone's tensors, and notes whose they are: a name alone does not tell, since a modality's name
// may hold a point.
func (l *Layout) declareBackbone(c Channel, b backbone) {
	params, buffers := len(l.Params), len(l.Buffers)
	b.declare(l, backboneName(c.Name))
	for _, slots := range [][]Slot{l.Params[params:], l.Buffers[buffers:]} {
		for i := range slots {
			slots[i].Backbone = c.Name
		}
	}
	if c.Frozen {
		if l.frozen == nil {
			l.frozen = map[string]bool{}
		}
		l.frozen[c.Name] = true
	}
}

// Trained returns the parameters that training changes: all but those of frozen backbones, in layout order.
func (l Layout) Trained() []Slot {
	var trained []Slot
	for _, s := range l.Params {
		if !l.frozen[s.Backbone] {
			trained = append(trained, s)
		}
	}
	return trained
}

// Span is a run of parameters, from From to before To, of one backbone or of none. It holds the padding after each.
type Span struct {
	From, To int
	Backbone string // the modality, or "" for the fusion and the head
}

// Spans returns the runs of the parameters that training changes, in order.
func (l Layout) Spans() []Span {
	var spans []Span
	for i, s := range l.Params {
		if l.frozen[s.Backbone] {
			continue
		}
		to := l.ParamSize
		if i+1 < len(l.Params) {
			to = l.Params[i+1].Offset
		}
		if k := len(spans) - 1; k >= 0 && spans[k].To == s.Offset && spans[k].Backbone == s.Backbone {
			spans[k].To = to
			continue
		}
		spans = append(spans, Span{From: s.Offset, To: to, Backbone: s.Backbone})
	}
	return spans
}

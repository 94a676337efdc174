package network

import (
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/machine"
)

// A frozen backbone takes no gradient and no memory for one.
func TestFrozenIsPruned(t *testing.T) {
	planned := func(s Spec) (bench, *machine.Machine) {
		b := newBench(t, s, 9)
		m, _ := b.compiled(t, open(t, 1), 9)
		return b, m
	}
	frozen := models()["frozen"]
	b, m := planned(frozen)
	thawed := frozen
	thawed.Modalities = slices.Clone(frozen.Modalities)
	thawed.Modalities[0].Frozen = false
	whole, wholeMachine := planned(thawed)
	if len(b.graph.Layout.Params) != len(whole.graph.Layout.Params) || b.graph.Layout.ParamSize != whole.graph.Layout.ParamSize {
		t.Error("freezing changed the model's layout")
	}
	trained := b.graph.Layout.Trained()
	for _, s := range trained {
		if strings.HasPrefix(s.Name, "backbones.video.") {
			t.Errorf("%s of a frozen backbone is trained", s.Name)
		}
	}
	if want := len(whole.graph.Layout.Params) - 2*3; len(trained) != want || len(b.grads) != want {
		t.Errorf("%d trained and %d gradients, want %d", len(trained), len(b.grads), want)
	}
	_, memory := m.Memory()
	if _, all := wholeMachine.Memory(); memory >= all {
		t.Errorf("%d bytes of values with a frozen backbone, %d without: its gradients are planned", memory, all)
	}
}

// Spans cover what is trained, in order, padding included, and nothing of what is frozen.
func TestSpans(t *testing.T) {
	s := models()["deep, 1 of 3"]
	s.Modalities = slices.Clone(s.Modalities)
	s.Modalities[0].Name, s.Modalities[1].Name = "a", "a.0" // names of which one begins as the other's parameters do
	for name, c := range map[string]struct {
		frozen string
		want   []string
	}{
		"none":   {"", []string{"a", "a.0", ""}}, // the third is identity
		"first":  {"a", []string{"a.0", ""}},
		"second": {"a.0", []string{"a", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range s.Modalities {
				s.Modalities[i].Frozen = s.Modalities[i].Name == c.frozen
			}
			l, err := s.Layout()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			covered := 0
			for _, span := range l.Spans() {
				got = append(got, span.Backbone)
				covered += span.To - span.From
				if span.From%16 != 0 || span.To%16 != 0 {
					t.Errorf("%+v is not on a boundary of 16", span)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("spans of %q, want %q", got, c.want)
			}
			frozen := 0
			for i, slot := range l.Params {
				if slot.Backbone == c.frozen && c.frozen != "" {
					frozen += l.Params[i+1].Offset - slot.Offset
				}
			}
			if covered != l.ParamSize-frozen || (c.frozen != "" && frozen == 0) {
				t.Errorf("spans cover %d of %d, %d frozen", covered, l.ParamSize, frozen)
			}
		})
	}
}

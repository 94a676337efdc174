package train

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

func planStream(t testing.TB, digest string, modalities []modality.Modality, rows ...schema.PlanRow) *schema.PlanReader {
	t.Helper()
	var out bytes.Buffer
	w, err := schema.NewPlanWriter(&out, schema.Plan{
		Header: schema.Header{Kind: schema.KindPlan, Tool: "test", Modalities: modalities, Digest: schema.Digest{Samples: digest}}, Method: "sample"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Append(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := stream.NewReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewPlanReader(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReadPlanRefuses(t *testing.T) {
	good := schema.PlanRow{Row: 2, ID: "s2", Keep: 3, Weight: 1}
	with := func(change func(*schema.PlanRow)) schema.PlanRow {
		row := good
		change(&row)
		return row
	}
	cases := map[string]struct {
		digest     string
		modalities []modality.Modality
		row        schema.PlanRow
		want       string
	}{
		"good":             {"sha256:00", testModalities, good, ""},
		"no digest":        {"", testModalities, good, ""},
		"other digest":     {"sha256:01", testModalities, good, "other samples"},
		"other modalities": {"sha256:00", testModalities[:1], with(func(r *schema.PlanRow) { r.Keep = 1 }), "modalities"},
		"other id":         {"sha256:00", testModalities, with(func(r *schema.PlanRow) { r.ID = "s3" }), `plan row 0: plan for other samples`},
		"row past the end": {"sha256:00", testModalities, with(func(r *schema.PlanRow) { r.Row = 20 }), "20 samples"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			samples := mustRead(t, samplesStream(t, 20, nil))
			p, err := ReadPlan(planStream(t, c.digest, c.modalities, c.row), samples, testSpec(), "plan")
			switch {
			case c.want == "" && (err != nil || p.Rows() != 1):
				t.Errorf("got %v, want one row", err)
			case c.want != "" && (!errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an input error with %q", err, c.want)
			}
		})
	}
}

// A plan that masks the audio everywhere and weighs nothing else must leave the audio backbone's weights to the weight
// decay alone, which is off here; rows of weight 0 must change nothing at all.
func TestPlanMasksAndWeighs(t *testing.T) {
	samples := mustRead(t, samplesStream(t, 40, nil))
	train := func(keep modality.Coalition, weight float32) map[string][]float32 {
		state := testState("sgd")
		state.Optimizer.WeightDecay, state.Optimizer.Momentum = 0, 0
		c, err := New(testSpec(), state, samples)
		if err != nil {
			t.Fatal(err)
		}
		p := &Plan{}
		for row := range samples.Rows() {
			p.add(row, keep, weight)
		}
		if err := Run(context.Background(), c, Options{Device: open(t), Epochs: 1, Samples: samples, Plan: p}); err != nil {
			t.Fatal(err)
		}
		params := map[string][]float32{}
		for _, tensor := range c.Tensors {
			if tensor.Role == schema.RoleParameter {
				params[tensor.Name] = tensor.Data
			}
		}
		return params
	}
	same := func(a, b map[string][]float32, name string) bool {
		for i := range a[name] {
			if a[name][i] != b[name][i] {
				return false
			}
		}
		return true
	}
	untouched := train(modality.All(2), 0)
	imageOnly := train(modality.Only(1), 1)
	for name := range untouched {
		audio := strings.HasPrefix(name, "backbones.audio")
		if same(untouched, imageOnly, name) != audio {
			t.Errorf("%s: unchanged %t with the audio masked, want %t", name, !audio, audio)
		}
	}
	layout, _ := testSpec().Layout()
	initial := layout.Initialize(11)
	for _, slot := range layout.Params {
		for i, v := range slot.In(initial) {
			if untouched[slot.Name][i] != v {
				t.Fatalf("%s changed under rows of weight 0", slot.Name)
			}
		}
	}
}

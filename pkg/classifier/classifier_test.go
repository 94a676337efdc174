package classifier

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/device"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// model is a head on two modalities of two numbers; its last epoch's bias is 1, 2 and its best one's 3, 4.
func model(best bool) checkpoint.Checkpoint {
	spec := network.Spec{Fusion: "concat", Classes: []string{"x", "y"}}
	for _, name := range []string{"a", "v"} {
		spec.Modalities = append(spec.Modalities, network.Channel{
			Modality: modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{2}}, Backbone: "identity"})
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	c := checkpoint.Checkpoint{
		Header: schema.Header{Tool: "test", Modalities: spec.Channels(), Classes: spec.Classes}, Spec: raw, State: checkpoint.State{Epoch: 7},
	}
	add := func(role string, bias ...float32) {
		c.Tensors = append(c.Tensors,
			schema.Tensor{Name: "head.weight", Role: role, Shape: []int{2, 4}, Data: []float32{1, 0, 2, 0, 0, 1, 0, 2}},
			schema.Tensor{Name: "head.bias", Role: role, Shape: []int{2}, Data: bias})
	}
	add(schema.RoleParameter, 1, 2)
	if best {
		c.State.Best = &checkpoint.Best{Epoch: 3}
		add(schema.RoleBest, 3, 4)
	}
	add(schema.RoleOptimizer, 5, 6)
	return c
}

func written(t *testing.T, c checkpoint.Checkpoint) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// open opens a model from a pipe and from a mapped file, which is closed before the classifier is used.
func open(t *testing.T, piped bool, data []byte, w Weights) (*Classifier, error) {
	t.Helper()
	r, err := stream.NewReader(bytes.NewReader(data))
	if !piped {
		path := filepath.Join(t.TempDir(), "model.arrow")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		r, err = stream.OpenFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := Open(r, Options{Device: device.Options{Name: "cpu", Threads: 1}, Rows: 3, Weights: w})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func TestOpen(t *testing.T) {
	for _, piped := range []bool{true, false} {
		for _, row := range []struct {
			name     string
			best     bool
			weights  Weights
			want     []float32 // with all modalities
			wantBest bool
		}{
			{"last of one", false, "", []float32{1 + 1 + 2*3, 2 + 2 + 2*4}, false},
			{"auto of one", false, Auto, []float32{8, 12}, false},
			{"last of two", true, Last, []float32{8, 12}, false},
			{"auto of two", true, Auto, []float32{10, 14}, true},
			{"best of two", true, Best, []float32{10, 14}, true},
		} {
			c, err := open(t, piped, written(t, model(row.best)), row.weights)
			if err != nil {
				t.Fatalf("piped %t: %s: %v", piped, row.name, err)
			}
			b := network.Minibatch{Rows: 1, X: [][]float32{{1, 2}, {3, 4}}, Keep: []modality.Coalition{3}, Label: []int32{0}, Weight: []float32{1}}
			if err := c.Evaluator.Load(&b); err != nil {
				t.Fatal(err)
			}
			logits := make([]float32, 2)
			if err := c.Evaluator.Logits(3, logits); err != nil {
				t.Fatal(err)
			}
			if logits[0] != row.want[0] || logits[1] != row.want[1] || c.Best != row.wantBest || c.State.Epoch != 7 || c.Spec.Fusion != "concat" || c.Digest == "" {
				t.Errorf("piped %t: %s: logits %v, want %v; %+v", piped, row.name, logits, row.want, c)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := written(t, model(false))
	at := bytes.Index(whole, []byte{0, 0, 0xa0, 0x40}) // 5, of the optimizer's rows
	changed := bytes.Clone(whole)
	changed[at+1] ^= 1
	short := model(false)
	short.Tensors = short.Tensors[:1]
	unnamed := model(false)
	unnamed.Spec = []byte(`{"fusion":"concat"}`)
	stray := model(true)
	stray.State.Best = nil // the rows of a best epoch that the state knows nothing of
	for _, piped := range []bool{true, false} {
		for name, row := range map[string]struct {
			data    []byte
			weights Weights
			want    error
		}{
			"a byte changed":          {changed, Last, stream.ErrInput},
			"a tensor missing":        {written(t, short), Last, stream.ErrInput},
			"no modalities":           {written(t, unnamed), Last, stream.ErrInput},
			"no best epoch":           {whole, Best, ErrNoBest},
			"an unknown best epoch":   {written(t, stray), Best, ErrNoBest},
			"cut off":                 {whole[:len(whole)-8], Last, stream.ErrInput},
			"cut off within a tensor": {whole[:at+2], Last, stream.ErrInput},
		} {
			if c, err := open(t, piped, row.data, row.weights); !errors.Is(err, row.want) {
				t.Errorf("piped %t: %s: got %+v, %v, want %v", piped, name, c, err, row.want)
			}
		}
	}
}

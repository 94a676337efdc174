package network

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// weightsSpec is a model of a backbone for images of the given channels and a small one.
func weightsSpec(backbone string, channels int) Spec {
	return Spec{Fusion: "concat", Classes: []string{"a", "b"}, Modalities: []Channel{
		{Modality: modality.Modality{Name: "visual", Kind: modality.Image, Shape: []int{channels, 32, 32}}, Backbone: backbone, Standardize: true},
		{Modality: modality.Modality{Name: "sensor", Kind: modality.Embedding, Shape: []int{4}}, Backbone: "mlp:3"}}}
}

// untrained is the layout and the tensors of an untrained model.
func untrained(t *testing.T, s Spec, seed uint64) (Layout, []schema.Tensor) {
	t.Helper()
	l, err := s.Layout()
	if err != nil {
		t.Fatal(err)
	}
	return l, append(Export(l.Params, l.Initialize(seed), schema.RoleParameter, ""), Export(l.Buffers, l.InitializeBuffers(), schema.RoleBuffer, "")...)
}

func fileOf(t *testing.T, tensors []schema.Tensor) *checkpoint.Safetensors {
	t.Helper()
	var out bytes.Buffer
	if err := checkpoint.WriteSafetensors(&out, tensors); err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.OpenSafetensors(bytes.NewReader(out.Bytes()), int64(out.Len()), "file")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Names and shapes are torchvision's: those of the state_dict that scripts/reference/safetensors.py wrote, without the last
// layer and the counters of batches.
func TestResNetNamesEqualTorch(t *testing.T) {
	for _, name := range []string{"resnet18", "resnet34"} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile("testdata/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var state map[string][]int
			if err := json.Unmarshal(raw, &state); err != nil {
				t.Fatal(err)
			}
			l, _ := untrained(t, weightsSpec(name, 3), 1)
			numbers := 0
			for _, part := range l.part("visual") {
				if !slices.Equal(state[part.name], part.Shape) {
					t.Errorf("%s: shape %v, PyTorch has %v", part.name, part.Shape, state[part.name])
				}
				delete(state, part.name)
				if slices.ContainsFunc(l.Params, func(s Slot) bool { return s.Name == part.Name }) {
					numbers += part.Size()
				}
			}
			for left := range state {
				if !ignored(left, "visual") {
					t.Errorf("%s of PyTorch is missing", left)
				}
			}
			// 11.7 and 21.8 million parameters (torchvision's documentation), less the last layer's 513,000.
			if want := map[string]int{"resnet18": 11_689_512, "resnet34": 21_797_672}[name] - 513_000; numbers != want {
				t.Errorf("%d parameters, torchvision has %d", numbers, want)
			}
		})
	}
}

// torchvisionFile is a safetensors file as torchvision's weights are: every tensor of a state_dict, the last layer among them, and the
// counters of batches as 64-bit integers. Element i of a tensor is i / 1024, modulo 1.
func torchvisionFile(t *testing.T, state map[string][]int) *checkpoint.Safetensors {
	t.Helper()
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, data := map[string]entry{}, []byte(nil)
	for _, name := range slices.Sorted(maps.Keys(state)) {
		n, from := 1, len(data)
		for _, d := range state[name] {
			n *= d
		}
		if strings.HasSuffix(name, "num_batches_tracked") {
			data = binary.LittleEndian.AppendUint64(data, 1000)
			header[name] = entry{"I64", []int{}, [2]int{from, len(data)}}
			continue
		}
		for i := range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i%1024)/1024))
		}
		header[name] = entry{"F32", state[name], [2]int{from, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	file := append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...)
	opened, err := checkpoint.OpenSafetensors(bytes.NewReader(file), int64(len(file)), "resnet18.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// Weights of ImageNet load as they are: the last layer and the counters are passed over, and every tensor of the backbone is the file's.
func TestTorchvisionWeightsLoad(t *testing.T) {
	raw, err := os.ReadFile("testdata/resnet18.json")
	if err != nil {
		t.Fatal(err)
	}
	var state map[string][]int
	if err := json.Unmarshal(raw, &state); err != nil {
		t.Fatal(err)
	}
	if _, ok := state["fc.weight"]; !ok || state["bn1.num_batches_tracked"] == nil {
		t.Fatal("the state_dict lacks the last layer or the counters")
	}
	l, model := untrained(t, weightsSpec("resnet18", 3), 1)
	_, drawn := untrained(t, weightsSpec("resnet18", 3), 1)
	if err := l.TakeWeights(model, torchvisionFile(t, state), "visual", "exact"); err != nil {
		t.Fatal(err)
	}
	for i, tensor := range model {
		backbone := strings.HasPrefix(tensor.Name, "backbones.visual.")
		for k, v := range tensor.Data {
			want := drawn[i].Data[k]
			if backbone {
				want = float32(k%1024) / 1024
			}
			if v != want {
				t.Fatalf("%s[%d]: got %v, want %v", tensor.Name, k, v, want)
			}
		}
	}
}

// What one model gives, another takes: a backbone, and the whole, to the last bit.
func TestWeightsRoundTrip(t *testing.T) {
	s := weightsSpec("cnn:16,6", 3)
	l, from := untrained(t, s, 1)
	from[len(from)-1].Data[0] = 7 // a running variance of its own
	for _, backbone := range []string{"visual", "sensor", ""} {
		t.Run(backbone, func(t *testing.T) {
			given, err := l.GiveWeights(&checkpoint.Checkpoint{Tensors: from}, backbone)
			if err != nil {
				t.Fatal(err)
			}
			_, to := untrained(t, s, 2)
			if err := l.TakeWeights(to, fileOf(t, given), backbone, "exact"); err != nil {
				t.Fatal(err)
			}
			_, drawn := untrained(t, s, 2)
			for i, tensor := range to {
				want := drawn[i].Data
				if strings.HasPrefix(tensor.Name, "backbones."+backbone) || backbone == "" {
					want = from[i].Data
				}
				if !slices.Equal(tensor.Data, want) {
					t.Errorf("%s is not the one it has to be", tensor.Name)
				}
			}
		})
	}
	best := append(slices.Clone(from), Export(l.Params, l.Initialize(3), schema.RoleBest, "")...)
	best = append(best, Export(l.Buffers, l.InitializeBuffers(), schema.RoleBest, "")...)
	given, err := l.GiveWeights(&checkpoint.Checkpoint{Tensors: best}, "")
	if err != nil || !slices.Equal(given[0].Data, best[len(from)].Data) || slices.Equal(given[0].Data, from[0].Data) {
		t.Errorf("a model that keeps its best epoch does not give that one's weights: %v", err)
	}
}

// An error lists all that does not fit, and nothing is taken.
func TestMisfitListsAll(t *testing.T) {
	l, model := untrained(t, weightsSpec("cnn:16,6", 3), 1)
	given, err := l.GiveWeights(&checkpoint.Checkpoint{Tensors: model}, "visual")
	if err != nil {
		t.Fatal(err)
	}
	var file []schema.Tensor
	for _, tensor := range given {
		tensor.Data = make([]float32, len(tensor.Data))
		switch tensor.Name {
		case "0.1.bias", "1.1.running_var":
			continue
		case "1.0.weight":
			tensor.Shape = []int{6, 9, 16}
			tensor.Data = tensor.Data[:6*9*16]
		}
		file = append(file, tensor)
	}
	more := []schema.Tensor{{Name: "fc.weight", Shape: []int{1}, Data: []float32{1}}, {Name: "0.1.num_batches_tracked", Data: []float32{1}},
		{Name: "2.0.weight", Data: []float32{1}}, {Name: "2.1.bias", Data: []float32{1}}}
	err = l.TakeWeights(model, fileOf(t, append(file, more...)), "visual", "sum")
	var misfit *Misfit
	if !errors.As(err, &misfit) || !errors.Is(err, stream.ErrInput) {
		t.Fatalf("got %v, want a misfit", err)
	}
	if got, want := fmt.Sprint(*misfit), fmt.Sprint(Misfit{Missing: []string{"0.1.bias", "1.1.running_var"},
		Shapes: []string{"1.0.weight: got [6 9 16], want [6 16 3 3]"}, Unknown: []string{"2.0.weight", "2.1.bias"}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, name := range append(append(misfit.Missing, misfit.Unknown...), misfit.Shapes...) {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
	if slices.Equal(model[0].Data, make([]float32, len(model[0].Data))) {
		t.Error("weights were taken all the same")
	}
}

// Of a hundred names the error gives the first, and how many there are.
func TestMisfitIsShort(t *testing.T) {
	m := Misfit{Shapes: []string{"a", "b", "c", "d", "e", "f"}}
	for i := range 102 {
		m.Missing = append(m.Missing, fmt.Sprintf("layer%d.weight", i))
	}
	want := "weights that do not fit: 102 missing: layer0.weight, layer1.weight, layer2.weight, layer3.weight, layer4.weight, and 97 more; " +
		"6 of another shape: a, b, c, d, e, f"
	if got := m.Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A first convolution for other channels is refused, summed so that equal channels give the same answer, or left as drawn.
func TestStemOfOtherChannels(t *testing.T) {
	from, model := untrained(t, weightsSpec("cnn:16,6", 3), 1)
	given, err := from.GiveWeights(&checkpoint.Checkpoint{Tensors: model}, "visual")
	if err != nil {
		t.Fatal(err)
	}
	file := fileOf(t, given)
	for channels := 1; channels <= 2; channels++ {
		l, model := untrained(t, weightsSpec("cnn:16,6", channels), 2)
		_, drawn := untrained(t, weightsSpec("cnn:16,6", channels), 2)
		var misfit *Misfit
		if err := l.TakeWeights(model, file, "visual", "exact"); !errors.As(err, &misfit) || !misfit.Stem || len(misfit.Shapes) != 1 {
			t.Errorf("exact, %d channels: got %v, want a misfit of the stem", channels, err)
		}
		if err := l.TakeWeights(model, file, "visual", "drawn"); err != nil || !slices.Equal(model[0].Data, drawn[0].Data) || slices.Equal(model[3].Data, drawn[3].Data) {
			t.Errorf("drawn, %d channels: %v, or not the weights it has to be", channels, err)
		}
		if err := l.TakeWeights(model, file, "visual", "sum"); err != nil {
			t.Fatal(err)
		}
		for k := range 16 {
			for i := range 9 {
				var got, want float64
				for c := range channels {
					got += float64(model[0].Data[(k*channels+c)*9+i])
				}
				for c := range 3 {
					want += float64(given[0].Data[(k*3+c)*9+i])
				}
				if d := got - want; d > 1e-6 || d < -1e-6 {
					t.Fatalf("sum, %d channels: filter %d, pixel %d: got %v, want %v", channels, k, i, got, want)
				}
			}
		}
	}
}

//go:build mmcuda && cgo && linux

package cuda

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
	"mmtools/pkg/train"
	"mmtools/pkg/valuation"
)

var classes = []string{"x", "y", "z"}

// model describes a small model of two modalities, the second of images.
func model(fusion, backbone string) network.Spec {
	return network.Spec{Fusion: fusion, Classes: classes, Modalities: []network.Channel{
		{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: []int{6}}, Backbone: "mlp:16", Standardize: true},
		{Modality: modality.Modality{Name: "image", Kind: modality.Image, Shape: []int{2, 7, 6}}, Backbone: backbone, Standardize: true},
	}}
}

// samples makes rows samples of separable classes; every seventh has no audio.
func samples(t *testing.T, spec network.Spec, rows int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "test", Modalities: spec.Channels(), Classes: classes,
			Digest: schema.Digest{Samples: "sha256:00"}},
		DTypes: []schema.DType{schema.Float32, schema.Float32},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range rows {
		label := r.IntN(len(classes))
		s := schema.Sample{ID: fmt.Sprintf("s%d", i), Label: int32(label)}
		for _, m := range spec.Channels() {
			x := make([]float32, m.Size())
			for k := range x {
				x[k] = float32(r.NormFloat64())
				if k%len(classes) == label {
					x[k]++
				}
			}
			s.Tensors = append(s.Tensors, x)
		}
		if i%7 == 3 {
			s.Tensors[0] = nil
		}
		if err := w.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func reader(t *testing.T, data []byte) (*schema.SamplesReader, *stream.Reader) {
	t.Helper()
	in, err := stream.NewReader(bytes.NewReader(data), stream.WithName("samples"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewSamplesReader(in)
	if err != nil {
		t.Fatal(err)
	}
	return r, in
}

// fit trains on, for epochs more, and returns the losses of the epochs and the accuracy of the last. c is made where it is nil.
func fit(t *testing.T, d kernel.Device, c *checkpoint.Checkpoint, spec network.Spec, state checkpoint.State, data []byte, epochs int) (*checkpoint.Checkpoint, []float64, float64, error) {
	t.Helper()
	r, in := reader(t, data)
	s, err := train.ReadSamples(r, in, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if c == nil {
		if c, err = train.New(spec, state, s); err != nil {
			t.Fatal(err)
		}
	}
	var losses []float64
	accuracy := 0.0
	err = train.Run(context.Background(), c, train.Options{Device: d, Epochs: epochs, Samples: s, Validate: s, OnEpoch: func(e train.Epoch) {
		losses = append(losses, e.Loss)
		accuracy = e.Accuracy
	}})
	return c, losses, accuracy, err
}

func settings(name string) checkpoint.State {
	o := checkpoint.Optimizer{Name: name, LR: 1e-2, WeightDecay: 1e-4, ClipNorm: 1}
	if name == "sgd" {
		o.Momentum = 0.9
	} else {
		o.Beta1, o.Beta2, o.Epsilon = 0.9, 0.999, 1e-8
	}
	return checkpoint.State{Seed: 11, BatchSize: 8, Schedule: "constant", Optimizer: o}
}

// stepBound is how far tensors of the two devices may be apart after a few steps, relative to the tensor's length: float32 sums in
// another order differ by some 1e-7 each.
const stepBound = 1e-5

// roundedBound is the same where maps are rounded to 8 bits: momenta, sums of gradients, come out apart by some 0.07. A gradient that is
// wrong is apart by 1.
const roundedBound = 0.15

// hold compares two models, tensor by tensor.
func hold(t *testing.T, got, want *checkpoint.Checkpoint, bound float64) {
	t.Helper()
	if len(got.Tensors) != len(want.Tensors) {
		t.Fatalf("%d tensors, want %d", len(got.Tensors), len(want.Tensors))
	}
	for i, w := range want.Tensors {
		g := got.Tensors[i]
		var apart, length float64
		for k := range w.Data {
			d := float64(g.Data[k]) - float64(w.Data[k])
			apart += d * d
			length += float64(w.Data[k]) * float64(w.Data[k])
		}
		if g.Name != w.Name || g.Role != w.Role || !(math.Sqrt(apart) <= bound*math.Sqrt(length)+1e-7) {
			t.Errorf("%s %s: apart by %.2g of %.2g", w.Role, w.Name, math.Sqrt(apart), math.Sqrt(length))
		}
	}
}

// holdFigures holds the losses of the epochs to 1e-5, and the accuracy as it is.
func holdFigures(t *testing.T, losses, want []float64, accuracy, wantAccuracy float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(losses[i]-want[i]) <= 1e-5*want[i]) {
			t.Errorf("epoch %d: loss %v, want %v", i+1, losses[i], want[i])
		}
	}
	if accuracy != wantAccuracy {
		t.Errorf("accuracy %v, want %v", accuracy, wantAccuracy)
	}
}

// holdBits compares two runs of the same.
func holdBits(t *testing.T, got, want *checkpoint.Checkpoint) {
	t.Helper()
	for i, tensor := range want.Tensors {
		for k, v := range tensor.Data {
			if math.Float32bits(v) != math.Float32bits(got.Tensors[i].Data[k]) {
				t.Fatalf("%s: element %d differs between two runs", tensor.Name, k)
			}
		}
	}
}

// trained is a model and its optimizer.
type trained struct{ fusion, backbone, optimizer string }

var all = []trained{
	{"concat", "mlp:12,8", "sgd"}, {"sum", "linear:16", "adam"}, {"film", "mlp:8", "sgd"}, {"gated:8", "linear:8", "adamw"},
	{"attention:2:8", "linear:8", "sgd"}, {"concat", "cnn:3,16", "sgd"}, {"concat", "cnn:16,5", "sgd"},
}

// A run on the card is the CPU's: with cuBLAS and cuDNN, and with the kernels alone; parameters, moments, statistics, losses and
// accuracy. The card's run repeats to the byte.
func TestTrainingEqualsCPU(t *testing.T) {
	for _, c := range all {
		spec, state := model(c.fusion, c.backbone), settings(c.optimizer)
		data := samples(t, spec, 21) // three steps an epoch, the last of five rows
		want, losses, accuracy, err := fit(t, openCPU(t), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, libraries := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,%s,%s,libraries=%t", c.fusion, c.backbone, c.optimizer, libraries), func(t *testing.T) {
				var first *checkpoint.Checkpoint
				for range 2 {
					got, gotLosses, gotAccuracy, err := fit(t, open(t, Options{}, libraries), nil, spec, state, data, 2)
					if err != nil {
						t.Fatal(err)
					}
					hold(t, got, want, stepBound)
					holdFigures(t, gotLosses, losses, gotAccuracy, accuracy)
					if first == nil {
						first = got
						continue
					}
					holdBits(t, got, first)
				}
			})
		}
	}
}

// Once recorded, a step is one upload and one replay, whatever there is in it: gathering, the optimizer and all.
func TestStepIsOneReplay(t *testing.T) {
	if emulated == "" {
		t.Skip("a driver that is not emulated keeps no list of what it is asked")
	}
	for _, optimizer := range []string{"adamw", "sgd"} {
		spec, state := model("concat", "mlp:8"), settings(optimizer)
		data := samples(t, spec, 10*state.BatchSize)
		d := open(t, Options{}, true)
		trace := filepath.Join(t.TempDir(), "trace")
		t.Setenv("MM_EMULATED_TRACE", trace)
		if _, _, _, err := fit(t, d, nil, spec, state, data, 1); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		steps := strings.Split(string(text), "cuGraphLaunch\n")
		// The first step is run as it is, the second recorded; then come eight more, and the evaluation.
		want := "cuEventSynchronize\ncuMemcpyHtoDAsync_v2\ncuEventRecord\n"
		if len(steps) < 10 {
			t.Fatalf("%s: %d replays of ten steps", optimizer, len(steps)-1)
		}
		for i, calls := range steps[5:9] {
			if calls != want {
				t.Errorf("%s: step %d asks the driver for\n%sbefore it is replayed, want\n%s", optimizer, i+7, calls, want)
			}
		}
	}
}

// With inputs rounded to 10 and 7 bits of fraction a run is near the CPU's, and not the same.
func TestPrecisions(t *testing.T) {
	spec, state := model("concat", "cnn:3,16"), settings("sgd")
	data := samples(t, spec, 21)
	_, losses, _, err := fit(t, openCPU(t), nil, spec, state, data, 2)
	if err != nil {
		t.Fatal(err)
	}
	for precision, bound := range map[kernel.Precision]float64{kernel.TF32: 5e-3, kernel.BF16: 4e-2} {
		_, got, _, err := fit(t, open(t, Options{Precision: precision}, false), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		if apart := math.Abs(got[1]-losses[1]) / losses[1]; !(apart > 1e-7 && apart < bound) {
			t.Errorf("%s: loss %v, float32 has %v", precision, got[1], losses[1])
		}
	}
}

// Channels last, feature maps give the CPU's results: in float32, as emulated libraries do not round to TF32, up to the order of sums, and in
// bfloat16 near them. So they do where cuDNN refuses that layout, before it runs or then, and where it is not to be. Runs repeat to the byte.
func TestChannelsLast(t *testing.T) {
	for _, backbone := range []string{"cnn:3,16", "cnn:16,5", "cnn:16,48"} {
		spec, state := model("concat", backbone), settings("sgd")
		data := samples(t, spec, 21)
		want, losses, accuracy, err := fit(t, openCPU(t), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, precision := range []kernel.Precision{kernel.TF32, kernel.BF16} {
			for _, how := range []string{"last", "refused", "refused when it runs", "nchw"} {
				t.Run(fmt.Sprintf("%s,%s,%s", backbone, precision, how), func(t *testing.T) {
					switch how {
					case "nchw":
						t.Setenv(layoutEnvironment, "nchw")
					case "refused":
						t.Setenv("MM_EMULATED_REFUSE", "last")
					case "refused when it runs":
						t.Setenv("MM_EMULATED_REFUSE", "run")
					}
					if how != "last" && emulated == "" {
						t.Skip("a card's cuDNN refuses what it does")
					}
					var first *checkpoint.Checkpoint
					for range 2 {
						d := open(t, Options{Precision: precision}, true)
						if d.dnn == nil {
							t.Skip("no cuDNN")
						}
						got, gotLosses, gotAccuracy, err := fit(t, d, nil, spec, state, data, 2)
						if err != nil {
							t.Fatal(err)
						}
						if emulated != "" && (d.dnn.refusals(true) > 0) != strings.HasPrefix(how, "refused") {
							t.Errorf("%d convolutions were refused", d.dnn.refusals(true))
						}
						if emulated != "" && precision == kernel.TF32 {
							hold(t, got, want, stepBound)
							holdFigures(t, gotLosses, losses, gotAccuracy, accuracy)
						} else {
							hold(t, got, want, roundedBound)
							if apart := math.Abs(gotLosses[1]-losses[1]) / losses[1]; !(apart < 4e-2) || how == "last" && precision == kernel.BF16 && apart < 1e-6 {
								t.Errorf("loss %v, float32 has %v", gotLosses[1], losses[1])
							}
						}
						if first == nil {
							first = got
							continue
						}
						holdBits(t, got, first)
					}
				})
			}
		}
	}
	t.Setenv(layoutEnvironment, "chwn")
	t.Setenv(dnnEnvironment, "none")
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), `MM_CUDA_LAYOUT is "chwn"`) {
		t.Errorf("got %v, want an error that names the layout", err)
	}
}

// A model trained on one device goes on on the other.
func TestGoingOnElsewhere(t *testing.T) {
	spec, state := model("concat", "cnn:3,16"), settings("sgd")
	data := samples(t, spec, 21)
	want, _, _, err := fit(t, openCPU(t), nil, spec, state, data, 3)
	if err != nil {
		t.Fatal(err)
	}
	var c *checkpoint.Checkpoint
	for _, d := range []kernel.Device{openCPU(t), open(t, Options{}, true), openCPU(t)} {
		if c, _, _, err = fit(t, d, c, spec, state, data, 1); err != nil {
			t.Fatal(err)
		}
	}
	hold(t, c, want, stepBound)
}

// contributions values samples by a model's last weights, in minibatches of 16.
func contributions(t *testing.T, d kernel.Device, spec network.Spec, c *checkpoint.Checkpoint, data []byte) (phi []float64) {
	t.Helper()
	layout, err := spec.Layout()
	if err != nil {
		t.Fatal(err)
	}
	params, buffers := make([]float32, layout.ParamSize), make([]float32, layout.BufferSize)
	if err := network.Import(layout.Params, params, c.Tensors, schema.RoleParameter, ""); err != nil {
		t.Fatal(err)
	}
	if err := network.Import(layout.Buffers, buffers, c.Tensors, schema.RoleBuffer, ""); err != nil {
		t.Fatal(err)
	}
	e, err := network.NewEvaluator(spec, d, 16, params, buffers)
	if err != nil {
		t.Fatal(err)
	}
	r, in := reader(t, data)
	defer in.Close()
	if _, err := valuation.Run(context.Background(), r, e, valuation.Options{}, func(_ *schema.SamplesBatch, r *valuation.Result) error {
		phi = append(phi, r.Phi...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return phi
}

// Contributions are the CPU's, for logits that are a sum of parts and for others.
func TestValuationEqualsCPU(t *testing.T) {
	for _, fusion := range []string{"concat", "attention:2:8"} {
		spec, state := model(fusion, "cnn:3,16"), settings("sgd")
		if fusion != "concat" {
			spec = model(fusion, "linear:8")
		}
		data := samples(t, spec, 40)
		c, _, _, err := fit(t, openCPU(t), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		want := contributions(t, openCPU(t), spec, c, data)
		for _, precision := range []kernel.Precision{kernel.Float32, kernel.TF32} { // to which emulated libraries do not round
			if precision != kernel.Float32 && (emulated == "" || fusion != "concat") {
				continue
			}
			got := contributions(t, open(t, Options{Precision: precision}, fusion == "concat"), spec, c, data)
			holdPhi(t, fmt.Sprintf("%s, %s", fusion, precision), got, want)
		}
	}
}

// holdPhi holds contributions to others, to the bit.
func holdPhi(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d contributions, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Errorf("%s: contribution %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// While a minibatch is valued the card is never waited for as a whole: the next one is given to it before what it found of the last is
// asked for.
func TestValuationKeepsTheCardBusy(t *testing.T) {
	if emulated == "" {
		t.Skip("a driver that is not emulated keeps no list of what it is asked")
	}
	// A modality of the next minibatch waits for a slot and is copied, and so are the masks of all coalitions.
	const copied = "cuEventSynchronize\ncuMemcpyHtoDAsync_v2\ncuEventRecord\n"
	// What was found is sent, and that of the minibatch before is waited for.
	const sent = "cuMemcpyDtoHAsync_v2\ncuEventRecord\ncuEventSynchronize\n"
	for fusion, between := range map[string][]string{ // a minibatch's replays, and before the next one's
		"concat":        {sent + copied + copied},
		"attention:2:8": {copied, sent + copied + copied},
	} {
		spec, state := model(fusion, "mlp:8"), settings("sgd")
		data := samples(t, spec, 160)
		trained, _, _, err := fit(t, openCPU(t), nil, spec, state, data, 0)
		if err != nil {
			t.Fatal(err)
		}
		d := open(t, Options{}, fusion == "concat")
		trace := filepath.Join(t.TempDir(), "trace")
		t.Setenv("MM_EMULATED_TRACE", trace)
		contributions(t, d, spec, trained, data)
		t.Setenv("MM_EMULATED_TRACE", "")
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		replays := strings.Split(string(text), "cuGraphLaunch\n")
		if want := 9 * len(between); len(replays)-1 != want { // the first of ten minibatches is run as it is
			t.Fatalf("%s: %d replays, want %d", fusion, len(replays)-1, want)
		}
		for i, calls := range replays[5*len(between) : 9*len(between)] {
			if want := between[(i+len(between)-1)%len(between)]; calls != want {
				t.Errorf("%s: before a replay the driver is asked for\n%swant\n%s", fusion, calls, want)
			}
		}
	}
}

// A model that does not fit is refused with the largest minibatch that does, and that one does: its activations, or what cuDNN works in,
// 4096 bytes an image here, which is most of what a small network takes.
func TestLargestMinibatch(t *testing.T) {
	if emulated == "" {
		t.Skip("only the emulated driver has a memory that can be made small")
	}
	for name, test := range map[string]struct {
		backbone  string
		libraries bool
		precision kernel.Precision
		memory    int // beside what the device takes in each lane: scratch of 32 MiB and, with libraries, cuBLAS's of as much
		rows      int // that do not fit
	}{
		"activations":              {"mlp:256,256", false, kernel.Float32, usualLanes<<25 + 2<<20, 1 << 14},
		"workspace":                {"cnn:4", true, kernel.Float32, usualLanes<<26 + 2<<20, 600},
		"channels last":            {"cnn:16", true, kernel.TF32, usualLanes<<26 + 2<<20, 600},
		"channels last, in halves": {"cnn:48", true, kernel.BF16, usualLanes<<26 + 2<<20, 600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("MM_EMULATED_MEMORY", fmt.Sprint(test.memory))
			spec, state := model("concat", test.backbone), settings("sgd")
			data := samples(t, spec, 30)
			try := func(rows int) error {
				state.BatchSize = rows
				d := open(t, Options{Precision: test.precision}, test.libraries)
				_, _, _, err := fit(t, d, nil, spec, state, data, 1)
				d.Close() // the next one takes its memory
				return err
			}
			err := try(test.rows)
			if err == nil {
				t.Fatalf("a minibatch of %d rows fits", test.rows)
			}
			var rows int
			at := strings.Index(err.Error(), "the largest minibatch that fits has")
			if at < 0 {
				t.Fatalf("got %v, want the largest minibatch", err)
			}
			if _, err := fmt.Sscanf(err.Error()[at:], "the largest minibatch that fits has %d rows", &rows); err != nil || rows < 1 {
				t.Fatalf("%v: %v", err, rows)
			}
			if err := try(rows); err != nil {
				t.Errorf("a minibatch of %d rows does not fit: %v", rows, err)
			}
			if more := rows + 1 + rows/8; try(more) == nil {
				t.Errorf("a minibatch of %d rows fits, %d were said to be the most", more, rows)
			}
		})
	}
}

// A card that is lost is an error, and leaves the checkpoint as it was.
func TestLostCard(t *testing.T) {
	spec, state := model("concat", "mlp:8"), settings("sgd")
	data := samples(t, spec, 21)
	d := open(t, Options{}, false)
	c, _, _, err := fit(t, d, nil, spec, state, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	d.launch("mm_no_such_kernel", grid{1, 1, 1})
	if _, _, _, err = fit(t, d, c, spec, state, data, 1); err == nil || c.State.Epoch != 0 {
		t.Errorf("got %v and epoch %d, want an error and epoch 0", err, c.State.Epoch)
	}
}

func TestRefuses(t *testing.T) {
	if emulated == "" {
		t.Skip("a driver is opened once a process, and it is a card's here")
	}
	open(t, Options{}, false)
	if err := driver.Open(); err != nil {
		t.Error(err)
	}
	for want, o := range map[string]Options{
		"number 7, the driver finds 1": {Cards: []int{0, 7}}, "card -1": {Cards: []int{-1}}, "card 0 is named twice": {Cards: []int{0, 0}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("cards %v: got %v, want %s", o.Cards, err, want)
		}
	}
	if _, err := New(Options{Precision: "float8"}); err == nil {
		t.Error("precision float8 was taken")
	}
}

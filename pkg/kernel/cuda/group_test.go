//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/hostgroup"
)

// openGroup opens so many emulated cards. ways are "nccl", "peers", and "host" for cards that do not reach each other's memory.
func openGroup(t *testing.T, cards int, way string, libraries bool) *group {
	t.Helper()
	if emulated == "" {
		t.Skip("no emulated driver, and how many cards the machine has is not known")
	}
	t.Setenv("MM_EMULATED_CARDS", fmt.Sprint(cards))
	t.Setenv("MM_EMULATED_PEERS", map[string]string{"host": "0"}[way])
	path := "none"
	if libraries {
		path = emulated
	}
	t.Setenv(blasEnvironment, path)
	t.Setenv(ltEnvironment, path)
	t.Setenv(dnnEnvironment, path)
	t.Setenv(ncclEnvironment, map[bool]string{true: emulated, false: "none"}[way == "nccl"])
	d, err := New(Options{All: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	g := d.(*group)
	if (g.nccl != nil) != (way == "nccl") || len(g.Devices()) != cards {
		t.Fatalf("opened %s by %s", g.Engine(), way)
	}
	return g
}

var ways = []string{"nccl", "peers", "host"}

// The mean over cards is the reference's to the bit, however it is moved, and the same on every card. Nothing that is queued next may
// come before it: x changes at once.
func TestMean(t *testing.T) {
	for _, c := range []struct{ cards, n, rows int }{{2, 1000, 7}, {3, 100, 64}, {4, 3, 9}, {4, 4099, 2}, {2, 1, 2}} {
		var want []float32
		for i, way := range append([]string{"reference"}, ways...) {
			var d kernel.Group
			if i == 0 {
				d = hostgroup.New(t, c.cards)
			} else {
				d = openGroup(t, c.cards, way, false)
			}
			var x, room, copied []kernel.Buffer
			for k, card := range d.Devices() {
				x, room, copied = append(x, alloc(t, card, c.n)), append(room, alloc(t, card, kernel.MeanRoom(c.n, c.cards))), append(copied, alloc(t, card, c.n))
				values := ramp(c.n, float32(k)/3)
				if from, to := kernel.Share(c.rows, c.cards, k); from == to {
					values[0] = float32(math.NaN()) // nobody reads it
				}
				card.Upload(x[k], values)
			}
			for range 2 { // the second reads what the first left
				d.Mean(x, room, c.n, c.rows)
				for k, card := range d.Devices() {
					card.Copy(copied[k], x[k], c.n)
					card.Scale(x[k], x[k], c.n, float32(k+1))
				}
			}
			for k, card := range d.Devices() {
				got := make([]float32, c.n)
				card.Download(got, copied[k])
				if err := card.Err(); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				for e := range want {
					if math.Float32bits(got[e]) != math.Float32bits(want[e]) {
						t.Fatalf("%+v by %s: element %d of card %d is %v, want %v", c, way, e, k, got[e], want[e])
					}
				}
			}
		}
	}
}

// A run on several cards is that of as many CPU devices, batch normalisation by each card's own rows and all; its bytes are the same
// by NCCL and by copies. Twenty-one rows leave a minibatch of five.
func TestGroupTrains(t *testing.T) {
	for _, c := range []struct {
		trained
		cards int
	}{{all[5], 2}, {all[1], 3}} {
		spec, state := model(c.fusion, c.backbone), settings(c.optimizer)
		data := samples(t, spec, 21)
		want, losses, accuracy, err := fit(t, hostgroup.New(t, c.cards), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		var first *checkpoint.Checkpoint
		for _, way := range []string{"nccl", "peers"} {
			d := openGroup(t, c.cards, way, c.cards == 2)
			got, gotLosses, gotAccuracy, err := fit(t, d, nil, spec, state, data, 2)
			if err != nil {
				t.Fatal(err)
			}
			hold(t, got, want, stepBound)
			for i := range losses {
				if !(math.Abs(gotLosses[i]-losses[i]) <= 1e-5*losses[i]) {
					t.Errorf("%+v, epoch %d: loss %v, want %v", c, i+1, gotLosses[i], losses[i])
				}
			}
			if gotAccuracy != accuracy {
				t.Errorf("%+v: accuracy %v, want %v", c, gotAccuracy, accuracy)
			}
			if first == nil {
				first = got
			} else {
				holdBits(t, got, first)
			}
		}
	}
}

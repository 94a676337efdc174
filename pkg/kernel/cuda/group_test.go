//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
	"mmtools/pkg/kernel/hostgroup"
)

// openGroup opens the first cards, emulated or the machine's. ways are "nccl", "peers", "host" for copies through the host, and, for
// emulated cards, "apart", which do not reach each other's memory, and "full", which may not either: they have too many peers.
func openGroup(t *testing.T, cards int, way string, libraries bool, precision kernel.Precision) *group {
	t.Helper()
	if emulated != "" {
		t.Setenv("MM_EMULATED_CARDS", fmt.Sprint(cards))
		t.Setenv("MM_EMULATED_PEERS", map[string]string{"apart": "0", "full": "2"}[way])
	} else if way == "apart" || way == "full" {
		t.Skip("whether a machine's cards reach each other is not ours to say")
	}
	skipWithout(t, cards)
	path := "none"
	if libraries {
		path = emulated // on cards: what is there
	}
	t.Setenv(blasEnvironment, path)
	t.Setenv(ltEnvironment, path)
	t.Setenv(dnnEnvironment, path)
	t.Setenv(peersEnvironment, map[string]string{"host": "none"}[way])
	switch {
	case way != "nccl":
		t.Setenv(ncclEnvironment, "none")
	case emulated != "":
		t.Setenv(ncclEnvironment, emulated)
	}
	o := Options{Precision: precision}
	for i := range cards {
		o.Cards = append(o.Cards, i)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	g := d.(*group)
	if way == "nccl" && g.nccl == nil && emulated == "" {
		t.Skip("NCCL is not here")
	}
	if (g.nccl != nil) != (way == "nccl") || len(g.Devices()) != cards {
		t.Fatalf("opened %s by %s", g.Engine(), way)
	}
	return g
}

// skipWithout skips where the driver is not here or finds fewer cards.
func skipWithout(t *testing.T, cards int) {
	t.Helper()
	if os.Getenv(driver.Environment) == "" {
		t.Skip("g++ is not here, and builds the emulated driver")
	}
	if err := driver.Open(); err != nil {
		t.Fatal(err)
	}
	if n, err := cu.NumDevices(); err != nil || n < cards {
		t.Skipf("%d cards are wanted, the driver finds %d (%v)", cards, n, err)
	}
}

var ways = []string{"nccl", "peers", "host", "apart", "full"}

// The mean over cards is the reference's to the bit, however it is moved, and the same on every card. Nothing that is queued next may
// come before it: x changes at once.
func TestMean(t *testing.T) {
	for _, c := range []meaning{{2, 1000, 7}, {3, 100, 64}, {4, 3, 9}, {4, 4099, 2}, {2, 1, 2}} {
		want := c.on(t, hostgroup.New(t, c.cards))
		for _, way := range ways {
			t.Run(fmt.Sprintf("%+v,%s", c, way), func(t *testing.T) {
				for k, got := range c.on(t, openGroup(t, c.cards, way, false, kernel.Float32)) {
					for e := range got {
						if math.Float32bits(got[e]) != math.Float32bits(want[k][e]) {
							t.Fatalf("element %d of card %d is %v, want %v", e, k, got[e], want[k][e])
						}
					}
				}
			})
		}
	}
}

// meaning is the mean of n elements over cards that have shares of rows.
type meaning struct{ cards, n, rows int }

// cancelling is a number of each card: those of the first two, times their shares of the rows, add up to nothing.
func (c meaning) cancelling(card int) float32 {
	share := func(card int) float32 {
		from, to := kernel.Share(c.rows, c.cards, card)
		return float32(to - from)
	}
	switch card {
	case 0:
		return share(1) * (1 << 80)
	case 1:
		return -share(0) * (1 << 80)
	}
	return 1
}

// on takes the mean of what the first one left, and returns it as each card has it.
func (c meaning) on(t *testing.T, d kernel.Group) (means [][]float32) {
	t.Helper()
	var x, room, copied []kernel.Buffer
	for k, card := range d.Devices() {
		x, room, copied = append(x, alloc(t, card, c.n)), append(room, alloc(t, card, kernel.MeanRoom(c.n, c.cards))), append(copied, alloc(t, card, c.n))
		values := ramp(c.n, float32(k)/3)
		for i := 2; i < c.n; i += 5 { // large numbers that leave nothing where they are added first: the order shows
			values[i] = c.cancelling(k)
		}
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
		means = append(means, got)
	}
	return means
}

// A run on several cards is that of as many CPU devices, batch normalisation by each card's own rows and all; its bytes are the same
// by NCCL and by copies. Without batch normalisation it is one card's. Twenty-one rows leave a minibatch of five.
func TestGroupTrains(t *testing.T) {
	for _, c := range []struct {
		trained
		cards     int
		precision kernel.Precision
	}{{all[5], 2, kernel.Float32}, {all[6], 2, kernel.TF32}, {all[0], 2, kernel.Float32}, {all[1], 3, kernel.Float32}} {
		if c.precision != kernel.Float32 && emulated == "" {
			continue // cards round; emulated libraries do not, and lie channels last
		}
		spec, state := model(c.fusion, c.backbone), settings(c.optimizer)
		data := samples(t, spec, 21)
		libraries := c.cards == 2
		want, losses, accuracy, err := fit(t, hostgroup.New(t, c.cards), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		var first *checkpoint.Checkpoint
		for _, way := range ways[:3] {
			t.Run(fmt.Sprintf("%+v,%s", c, way), func(t *testing.T) {
				got, gotLosses, gotAccuracy, err := fit(t, openGroup(t, c.cards, way, libraries, c.precision), nil, spec, state, data, 2)
				if err != nil {
					t.Fatal(err)
				}
				hold(t, got, want, stepBound)
				holdFigures(t, gotLosses, losses, gotAccuracy, accuracy)
				if first == nil {
					first = got
				}
				holdBits(t, got, first)
			})
		}
		if strings.HasPrefix(c.backbone, "cnn") || first == nil {
			continue
		}
		one, _, _, err := fit(t, open(t, Options{}, libraries), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		hold(t, first, one, stepBound)
	}
}

// Several cards that share each minibatch give the CPU's contributions, each recording and replaying on a thread of its own. Of the last
// minibatch, of one row, all but the first card have nothing.
func TestGroupValues(t *testing.T) {
	for _, fusion := range []string{"concat", "attention:2:8"} {
		spec, state := model(fusion, "mlp:8"), settings("sgd")
		data := samples(t, spec, 65)
		c, _, _, err := fit(t, openCPU(t), nil, spec, state, data, 2)
		if err != nil {
			t.Fatal(err)
		}
		want := contributions(t, openCPU(t), spec, c, data)
		for _, cards := range []int{2, 3} {
			t.Run(fmt.Sprintf("%s,cards:%d", fusion, cards), func(t *testing.T) {
				holdPhi(t, "on several cards", contributions(t, openGroup(t, cards, "peers", cards == 2, kernel.Float32), spec, c, data), want)
			})
		}
	}
}

package encode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
)

// numbers is a Source whose row i holds i; decoding takes a random while, and fails for the rows in broken.
type numbers struct {
	rows, size int
	broken     map[int]bool
	decoding   atomic.Int64 // rows decoded and not yet emitted
	most       atomic.Int64
}

func (n *numbers) Samples() Samples {
	return Samples{Modalities: []modality.Modality{{Name: "x", Kind: modality.Embedding, Shape: []int{n.size}}}, Elements: []Element{Float32}}
}
func (n *numbers) Rows() int                    { return n.rows }
func (n *numbers) NewDecoder() (Decoder, error) { return n, nil }
func (n *numbers) Close() error                 { return nil }

func (n *numbers) Decode(_ context.Context, first int, rows []Row, store [][]any) {
	for k := range rows {
		rows[k].Index, rows[k].Failures = first+k, rows[k].Failures[:0]
		if err := n.row(first+k, &rows[k], store[k]); err != nil {
			rows[k].Failures = append(rows[k].Failures, Failure{Row: first + k, ID: strconv.Itoa(first + k), Modality: "x", Err: err})
		}
	}
}

func (n *numbers) row(i int, row *Row, store []any) error {
	if rng.Stream(3, "pause", i).IntN(8) == 0 {
		time.Sleep(time.Duration(i%5) * 100 * time.Microsecond)
	}
	if n.broken[i] {
		return fmt.Errorf("row %d is broken", i)
	}
	if now := n.decoding.Add(1); now > n.most.Load() {
		n.most.Store(now)
	}
	x := tensor[float32](store, 0, n.size)
	x[0] = float32(i)
	row.ID, row.Label, row.Tensors[0] = strconv.Itoa(i), -1, x
	return nil
}

func TestRunKeepsOrder(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 7} {
		for _, rows := range []int{0, 1, 63, 64, 65, 1000} {
			src, next := &numbers{rows: rows, size: 300}, 0
			err := Run(context.Background(), src, RunOptions{Threads: threads}, func(r *Row) error {
				if got := r.Tensors[0].([]float32)[0]; r.ID != strconv.Itoa(next) || got != float32(next) {
					t.Fatalf("threads %d: row %d is %s holding %v", threads, next, r.ID, got)
				}
				next++
				src.decoding.Add(-1)
				return nil
			})
			if err != nil || next != rows {
				t.Errorf("threads %d: %d of %d rows, %v", threads, next, rows, err)
			}
		}
	}
}

func TestRunBoundsMemory(t *testing.T) {
	src := &numbers{rows: 300, size: groupBytes / 4} // a row fills a group
	err := Run(context.Background(), src, RunOptions{Threads: 3}, func(r *Row) error {
		time.Sleep(50 * time.Microsecond) // a slow reader
		src.decoding.Add(-1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if most := src.most.Load(); most > 2*3+2 {
		t.Errorf("%d rows were held at once, want at most 8", most)
	}
}

func TestRunStops(t *testing.T) {
	before := runtime.NumGoroutine()
	boom := errors.New("boom")
	for round := range 20 {
		src := &numbers{rows: 5000, size: 300, broken: map[int]bool{1700: true, 1701: true, 1092: true, 4000: true}}
		n := 0
		err := Run(context.Background(), src, RunOptions{Threads: 4}, func(*Row) error { n++; return nil })
		if err == nil || err.Error() != "row 1092 is broken" || n != 1092 {
			t.Fatalf("round %d: got %v after %d rows, want the first broken row, 1092", round, err, n)
		}
		n = 0
		err = Run(context.Background(), src, RunOptions{Threads: 4}, func(*Row) error {
			if n++; n == 10 {
				return boom
			}
			return nil
		})
		if err != boom || n != 10 {
			t.Fatalf("round %d: got %v after %d rows", round, err, n)
		}
		ctx, cancel := context.WithCancel(context.Background())
		n = 0
		err = Run(ctx, src, RunOptions{Threads: 4}, func(*Row) error {
			if n++; n == 10 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || n > 1000 {
			t.Fatalf("round %d: got %v after %d rows", round, err, n)
		}
	}
	// A goroutine that Run has waited for has returned, and may still be counted for a moment.
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines were left", runtime.NumGoroutine()-before)
		}
	}
}

func TestNotFiniteNamesTheFirst(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for n := range 19 {
		x := make([]float32, n)
		for i := range x {
			x[i] = math.MaxFloat32 * float32(1-2*(i%2))
		}
		if got := notFinite(x); got != -1 {
			t.Fatalf("%d finite numbers: got %d", n, got)
		}
		for i := range x {
			for _, v := range []float32{nan, inf, -inf} {
				y := slices.Clone(x)
				y[i], y[n-1] = v, v
				if got := notFinite(y); got != i {
					t.Fatalf("%v at %d of %d: got %d", v, i, n, got)
				}
			}
		}
	}
}

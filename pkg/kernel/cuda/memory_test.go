//go:build mmcuda && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

func ramp(n int, from float32) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = from + float32(i)
	}
	return v
}

// What is uploaded while kernels that read the buffer's last content are still queued must not reach them, and the caller may
// change what it gave at once. The emulated driver runs nothing before it must, so that an upload that does not wait shows.
func TestUploadsKeepTheirOrder(t *testing.T) {
	for _, n := range []int{1000, directSize + 1, 3*copyShare + 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d := open(t, Options{}, false)
			const steps = 11
			x, zero, sums := alloc(t, d, n), alloc(t, d, n), alloc(t, d, n*steps)
			host := make([]float32, n)
			for s := range steps {
				copy(host, ramp(n, float32(1000*s)))
				d.Upload(x, host)
				clear(host)
				d.Add(sums.Slice(s*n, (s+1)*n), x, zero, n)
			}
			got := make([]float32, n*steps)
			d.Download(got, sums)
			if err := d.Err(); err != nil {
				t.Fatal(err)
			}
			for s := range steps {
				for i, want := range ramp(n, float32(1000*s)) {
					if got[s*n+i] != want {
						t.Fatalf("step %d, element %d: got %v, want %v", s, i, got[s*n+i], want)
					}
				}
			}
		})
	}
}

// What was sent is what the memory held then, whatever is asked for after it, and asking waits for nothing.
func TestParcels(t *testing.T) {
	d := open(t, Options{}, false)
	for _, n := range []int{1, 100, bounceSize + 1} {
		x := alloc(t, d, n)
		var parcels []kernel.Parcel
		for range 3 {
			p, err := d.NewParcel(n + 10)
			if err != nil {
				t.Fatal(err)
			}
			parcels = append(parcels, p)
		}
		trace := filepath.Join(t.TempDir(), "trace")
		t.Setenv("MM_EMULATED_TRACE", trace)
		for round := range 2 {
			for k, p := range parcels {
				d.Upload(x, ramp(n, float32(100*round+k)))
				p.Send(x, n)
			}
			clear := alloc(t, d, n)
			d.Copy(x, clear, n)
			for k, p := range parcels {
				for i, v := range p.Wait() {
					if want := float32(100*round+k) + float32(i); v != want {
						t.Fatalf("%d elements, round %d, parcel %d: element %d is %v, want %v", n, round, k, i, v, want)
					}
				}
				if got := len(p.Wait()); got != n {
					t.Errorf("%d elements, want %d", got, n)
				}
			}
		}
		t.Setenv("MM_EMULATED_TRACE", "")
		parcels[0].Send(x, 0)
		if got := parcels[0].Wait(); len(got) != 0 {
			t.Errorf("%v was sent, want nothing", got)
		}
		if err := d.Err(); err != nil {
			t.Fatal(err)
		}
		if emulated == "" {
			continue
		}
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		if waits := strings.Count(string(text), "cuStreamSynchronize"); waits > 1 { // the first upload to x does
			t.Errorf("%d elements: a stream was waited for %d times:\n%s", n, waits, text)
		}
	}
}

func TestAllocGivesZeros(t *testing.T) {
	d := open(t, Options{}, false)
	got := ramp(5000, 1)
	d.Download(got, alloc(t, d, 5000))
	for i, v := range got {
		if v != 0 {
			t.Fatalf("element %d is %v", i, v)
		}
	}
}

// A refused allocation says how much was wanted and how much is free, and leaves the device as it was.
func TestOutOfMemory(t *testing.T) {
	d := open(t, Options{}, false)
	free := d.Free()
	_, err := d.Alloc(int(free)) // four times as much
	var memory *kernel.MemoryError
	if !errors.As(err, &memory) || memory.Wanted != 4*free || memory.Free <= 0 {
		t.Fatalf("got %v, want a MemoryError of %d bytes wanted", err, 4*free)
	}
	if d.Err() != nil {
		t.Errorf("after it: %v, want none", d.Err())
	}
	if after := d.Free(); emulated != "" && (memory.Free != free || after != free) { // of a card others may take some
		t.Errorf("%d bytes free, then %d, want %d", memory.Free, after, free)
	}
	alloc(t, d, 100)
}

// The first failure stays, and nothing runs after it.
func TestFirstFailureStays(t *testing.T) {
	d := open(t, Options{}, false)
	d.launch("mm_no_such_kernel", grid{1, 1, 1})
	err := d.Err()
	if err == nil {
		t.Fatal("a kernel that is not there ran")
	}
	d.Copy(d.scratch, d.scratch.Slice(1, 2), 1)
	if d.Err() != err {
		t.Errorf("got %v after %v", d.Err(), err)
	}
}

// A recording does again what was recorded, on what its buffers hold then; recording runs nothing.
func TestRecording(t *testing.T) {
	d := open(t, Options{}, true)
	const m, n, k = 5, 3, 4
	x, w, y, z := alloc(t, d, m*k), alloc(t, d, n*k), alloc(t, d, m*n), alloc(t, d, m*n)
	d.Upload(w, ramp(n*k, 1))
	step := func() {
		d.Linear(y, x, w, nil, m, n, k, false)
		d.Add(z, z, y, m*n)
	}
	d.Upload(x, ramp(m*k, 0))
	step()
	r, err := d.Record(step)
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]float32, m*n), make([]float32, m*n)
	total := make([]float64, m*n)
	d.Download(want, y)
	d.Download(got, z)
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("recording ran: element %d is %v, want %v", i, got[i], want[i])
		}
		total[i] = float64(want[i])
	}
	for s := range 3 {
		d.Upload(x, ramp(m*k, float32(s)))
		r.Replay()
		d.Download(got, y)
		for i := range m {
			for j := range n {
				var sum float64
				for l := range k {
					sum += float64(i*k+l+s) * float64(1+j*k+l)
				}
				total[i*n+j] += sum
				if float64(got[i*n+j]) != sum {
					t.Fatalf("replay %d, element %d,%d: got %v, want %v", s, i, j, got[i*n+j], sum)
				}
			}
		}
	}
	d.Download(got, z)
	for i := range got {
		if float64(got[i]) != total[i] {
			t.Errorf("element %d: got %v, want %v", i, got[i], total[i])
		}
	}
}

// What cannot be recorded is refused, and the device goes on.
func TestRecordingOfAllocation(t *testing.T) {
	d := open(t, Options{}, false)
	if _, err := d.Record(func() { d.Download(make([]float32, 1), d.scratch) }); err == nil {
		t.Error("a download was recorded")
	}
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	y := alloc(t, d, 2)
	d.Add(y, y, y, 2)
	d.Download(make([]float32, 2), y)
	if err := d.Err(); err != nil {
		t.Error(err)
	}
}

// So is a wait for what the recording does not hold, and an upload that passes through a stage, which waits for its copy.
func TestRecordingOfUpload(t *testing.T) {
	d := open(t, Options{}, false)
	x, host := alloc(t, d, 100), ramp(100, 1)
	for range 3 {
		d.Upload(x, host)
	}
	var copied cu.Event
	d.do("copying", func() (err error) {
		if copied, err = d.event(); err == nil {
			err = copied.Record(d.copies)
		}
		return err
	})
	if _, err := d.Record(func() { d.do("waiting", func() error { return d.compute.Wait(copied, 0) }) }); err == nil {
		t.Error("a wait for a copy was recorded")
	}
	if _, err := d.Record(func() { d.Upload(x, host) }); err == nil {
		t.Error("an upload was recorded")
	}
	got := make([]float32, 100)
	d.Upload(x, ramp(100, 7))
	d.Download(got, x)
	if err := d.Err(); err != nil || !slices.Equal(got, ramp(100, 7)) {
		t.Errorf("after it: %v, %v", err, got)
	}
	if !strings.Contains(d.Engine(), "not recorded: ") {
		t.Errorf("%s does not say so", d.Engine())
	}
}

func alloc(t testing.TB, d kernel.Device, n int) kernel.Buffer {
	t.Helper()
	b, err := d.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

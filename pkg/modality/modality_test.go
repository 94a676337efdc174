package modality

import (
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestCoalitionIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Coalition(rapid.Uint64().Draw(t, "coalition"))
		i := rapid.IntRange(0, Max-1).Draw(t, "modality")
		if !c.With(i).Has(i) || c.Without(i).Has(i) || c.With(i).Without(i) != c.Without(i) {
			t.Fatalf("coalition %#x, modality %d: With, Without and Has disagree", uint64(c), i)
		}
		if c.Size() != bits.OnesCount64(uint64(c)) || len(slices.Collect(c.Members())) != c.Size() {
			t.Fatalf("coalition %#x: size %d, members %v", uint64(c), c.Size(), slices.Collect(c.Members()))
		}
		var again Coalition
		for m := range c.Members() {
			again = again.With(m)
		}
		if again != c {
			t.Fatalf("coalition %#x: its members make %#x", uint64(c), uint64(again))
		}
	})
}

func TestAll(t *testing.T) {
	for n, want := range map[int]Coalition{0: 0, 1: 1, 2: 3, 6: 63, 63: 1<<63 - 1, 64: 1<<64 - 1} {
		if got := All(n); got != want || got.Size() != n {
			t.Errorf("All(%d) = %#x, want %#x", n, uint64(got), uint64(want))
		}
	}
}

func TestLabel(t *testing.T) {
	names := []string{"audio", "image", "text"}
	for c, want := range map[Coalition]string{0: "none", 2: "image", 5: "audio+text", 7: "audio+image+text"} {
		if got := c.Label(names); got != want {
			t.Errorf("%#x: got %q, want %q", uint64(c), got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"audio": true, "pix240": true, "a.b-c_d": true, "": false, "1st": false, "a b": false, "a=b": false,
		"id": false, "label": false, "none": false, "é": false, "-a": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: got %v, want accepted: %t", name, err, ok)
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		shape []int
		want  int
	}{{nil, 1}, {[]int{7}, 7}, {[]int{3, 28, 28}, 2352}, {[]int{2, 0}, 0}} {
		if got := (Modality{Shape: c.shape}).Size(); got != c.want {
			t.Errorf("shape %v: size %d, want %d", c.shape, got, c.want)
		}
	}
}

package rng

import "testing"

// The first draws are part of the tools' promise: the same seed gives the same bytes in every version. The numbers are
// this package's own, of its first release.
func TestStreamIsStable(t *testing.T) {
	const want = 0x9c75d80acab7864
	if got := Stream(7, "shuffle", 3).Uint64(); got != want {
		t.Errorf("Stream(7, shuffle, 3) draws %#x first, want %#x", got, want)
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for name, s := range map[string]uint64{
		"seed 1":         Stream(1, "a").Uint64(),
		"seed 2":         Stream(2, "a").Uint64(),
		"purpose":        Stream(1, "b").Uint64(),
		"no purpose":     Stream(1).Uint64(),
		"epoch 1":        Stream(1, "a", 1).Uint64(),
		"epoch 2":        Stream(1, "a", 2).Uint64(),
		"joined":         Stream(1, "a1").Uint64(),
		"epoch as text":  Stream(1, "a", "1").Uint64(),
		"split in two":   Stream(1, "a", "b").Uint64(),
		"the two joined": Stream(1, "ab").Uint64(),
	} {
		if other, ok := seen[s]; ok {
			t.Errorf("%s and %s draw the same number", name, other)
		}
		seen[s] = name
	}
}

func TestPurposeOfAnotherTypePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a float purpose was taken")
		}
	}()
	Stream(1, 1.5)
}

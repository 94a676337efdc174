package media

import (
	"slices"
	"testing"
)

// The same four texts as np.save writes them: type U of either byte order, and S. Zeros behind a text are none of it.
func TestTexts(t *testing.T) {
	all := []string{"dog", "cät", "", "a"}
	var little, big, bytes []byte
	for _, text := range all {
		runes := []rune(text + "\x00\x00\x00")[:3]
		for _, r := range runes {
			little, big = append(little, byte(r), 0, 0, 0), append(big, 0, 0, 0, byte(r))
		}
		bytes = append(bytes, (text + "\x00\x00\x00\x00")[:4]...)
	}
	for name, file := range map[string][]byte{
		"little endian": npyFile(1, "<U3", false, "(4,)", little),
		"big endian":    npyFile(1, ">U3", false, "(4,)", big),
		"bytes":         npyFile(1, "|S4", false, "(4,)", bytes),
	} {
		if got, err := Texts(file); err != nil || !slices.Equal(got, all) || !IsTexts(file) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for name, file := range map[string][]byte{
		"no file":            nil,
		"numbers":            npyFile(1, "<f4", false, "(1,)", make([]byte, 4)),
		"two dimensions":     npyFile(1, "<U1", false, "(1, 1)", make([]byte, 4)),
		"cut off":            npyFile(1, "<U1", false, "(2,)", make([]byte, 4)),
		"more than is there": npyFile(1, "|S9", false, "(4611686018427387904,)", make([]byte, 9)),
		"a surrogate":        npyFile(1, "<U1", false, "(1,)", []byte{0, 0xd8, 0, 0}),
		"no UTF-8":           npyFile(1, "|S1", false, "(1,)", []byte{0xff}),
	} {
		if got, err := Texts(file); err == nil {
			t.Errorf("%s: got %q, want an error", name, got)
		}
	}
}

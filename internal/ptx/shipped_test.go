package ptx

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const shippedFolder = "../../pkg/kernel/cuda/ptx"

// shipped returns the PTX of an architecture, by file.
func shipped(t *testing.T, architecture string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shippedFolder, architecture, "*.ptx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of PTX for %s, %v", len(files), architecture, err)
	}
	all := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = string(text)
	}
	return all
}

func TestShippedTranslates(t *testing.T) {
	for _, architecture := range []string{"sm_80", "sm_90"} {
		for name, text := range shipped(t, architecture) {
			unit, err := Translate(name, text)
			if err != nil {
				t.Errorf("%s: %v", architecture, err)
			}
			if kernels, want := strings.Count(unit, "\nKERNEL("), strings.Count(text, ".entry "); kernels != want || want == 0 {
				t.Errorf("%s: %s: %d kernels, want %d", architecture, name, kernels, want)
			}
		}
	}
}

// Tests that run the PTX of one architecture have run the other's too.
func TestArchitecturesAreEqual(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^\.(version|target) .*$`)
	older, newer := shipped(t, "sm_80"), shipped(t, "sm_90")
	if len(older) != len(newer) {
		t.Errorf("%d files for sm_80, %d for sm_90", len(older), len(newer))
	}
	for name, text := range older {
		if n := len(heading.FindAllString(text, -1)); n != 2 {
			t.Errorf("%s: %d lines of .version and .target, want 2", name, n)
		}
		if heading.ReplaceAllString(text, "") != heading.ReplaceAllString(newer[name], "") {
			t.Errorf("%s: sm_80 and sm_90 differ in more than .version and .target", name)
		}
	}
}

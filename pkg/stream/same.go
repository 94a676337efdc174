package stream

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
)

// provenance are the keys that may differ between streams of samples joined: shards come out of several runs. In other
// streams rows are positions in samples, and those of other samples would be taken for the first's.
var provenance = []string{"mm.tool", "mm.seed", "mm.digest"}

// sameSchema returns an error that names the first difference of two schemas in fields or in the metadata of the streams
// contract, keys mm.*. Metadata of others may differ: it says nothing about the rows.
func sameSchema(a, b *arrow.Schema) error {
	for i := range max(a.NumFields(), b.NumFields()) {
		switch {
		case i >= a.NumFields():
			return fmt.Errorf("column %q is only in the later stream", b.Field(i).Name)
		case i >= b.NumFields():
			return fmt.Errorf("column %q is only in the first stream", a.Field(i).Name)
		}
		if err := sameField(a.Field(i), b.Field(i)); err != nil {
			return err
		}
	}
	var free []string
	if kind, _ := a.Metadata().GetValue("mm.stream"); kind == "samples" {
		free = provenance
	}
	return sameMetadata(a.Metadata(), b.Metadata(), "mm.", free)
}

func sameField(a, b arrow.Field) error {
	switch {
	case a.Name != b.Name:
		return fmt.Errorf("column %q in place of %q", b.Name, a.Name)
	case !arrow.TypeEqual(a.Type, b.Type):
		return fmt.Errorf("column %q: type %s, first %s", a.Name, b.Type, a.Type)
	case a.Nullable != b.Nullable:
		return fmt.Errorf("column %q: nullable %t, first %t", a.Name, b.Nullable, a.Nullable)
	}
	if err := sameMetadata(a.Metadata, b.Metadata, "", nil); err != nil {
		return fmt.Errorf("column %q: %w", a.Name, err)
	}
	return nil
}

// sameMetadata compares the keys that begin with prefix, but for those that are free.
func sameMetadata(a, b arrow.Metadata, prefix string, free []string) error {
	for _, key := range slices.Concat(a.Keys(), b.Keys()) {
		if !strings.HasPrefix(key, prefix) || slices.Contains(free, key) {
			continue
		}
		va, inA := a.GetValue(key)
		vb, inB := b.GetValue(key)
		if va != vb || inA != inB {
			return fmt.Errorf("metadata %s is %s, first %s", key, quote(vb, inB), quote(va, inA))
		}
	}
	return nil
}

func quote(value string, ok bool) string {
	const longest = 80
	switch {
	case !ok:
		return "missing"
	case len(value) > longest:
		return fmt.Sprintf("%q...", value[:longest])
	}
	return fmt.Sprintf("%q", value)
}

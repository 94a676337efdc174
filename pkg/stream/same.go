package stream

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
)

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
	return sameMetadata(a.Metadata(), b.Metadata(), "mm.")
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
	if err := sameMetadata(a.Metadata, b.Metadata, ""); err != nil {
		return fmt.Errorf("column %q: %w", a.Name, err)
	}
	return nil
}

// sameMetadata compares the keys that begin with prefix.
func sameMetadata(a, b arrow.Metadata, prefix string) error {
	for _, key := range slices.Concat(a.Keys(), b.Keys()) {
		if !strings.HasPrefix(key, prefix) {
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

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"mmtools/pkg/schema"
)

// describeModel writes what a model is, where its training stands, and its tensors.
func describeModel(w io.Writer, m schema.Model) error {
	var b bytes.Buffer
	values := 0
	for _, t := range m.Tensors {
		if t.Role == schema.RoleParameter {
			values += len(t.Data)
		}
	}
	fmt.Fprintf(&b, "\n%d trainable values\n", values)
	for _, part := range []struct {
		name string
		raw  json.RawMessage
	}{{"spec", m.Spec}, {"state", m.State}} {
		if len(part.raw) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n  ", part.name)
		if err := json.Indent(&b, part.raw, "  ", "  "); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "tensor\trole\tshape\n")
	for _, x := range m.Tensors {
		fmt.Fprintf(t, "%s\t%s\t%s\n", x.Name, x.Role, strings.Trim(strings.ReplaceAll(fmt.Sprint(x.Shape), " ", "x"), "[]"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := b.WriteTo(w)
	return err
}

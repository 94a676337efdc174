package valuation

import (
	"slices"
	"strings"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// arrange returns the column of the samples that holds each of the model's modalities. Samples and model must have the
// same modalities, by name and in any order, of the same shapes, and the same classes.
func arrange(in *schema.SamplesReader, p Predictor, o Options) ([]int, error) {
	h, want := in.Header(), p.Modalities()
	if err := o.Validate(o.model(), len(want), len(p.Classes())); err != nil {
		return nil, err
	}
	columns := make([]int, len(want))
	for i, w := range want {
		columns[i] = slices.IndexFunc(h.Modalities, func(m modality.Modality) bool { return m.Name == w.Name })
		if columns[i] < 0 || len(h.Modalities) != len(want) {
			return nil, stream.Errorf("%s: modalities %s, but those of %s are %s",
				in.Name(), list(modality.Names(h.Modalities)), o.model(), list(modality.Names(want)))
		}
		if got := h.Modalities[columns[i]].Shape; !slices.Equal(got, w.Shape) {
			return nil, stream.Errorf("%s: modality %q has shape %v, but %s takes %v", in.Name(), w.Name, got, o.model(), w.Shape)
		}
	}
	return columns, schema.SameClasses(in.Name(), h.Classes, o.model(), p.Classes())
}

// listed is how many names an error spells out.
const listed = 12

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if len(names) > listed {
		names = append(slices.Clone(names[:listed]), "...")
	}
	return strings.Join(names, ", ")
}

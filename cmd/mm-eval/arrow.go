package main

import (
	"encoding/json"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// writeArrow writes a row for each figure: metric, of (the class, coalition or modality that it is of, else null), value
// (null where it has nothing to rest on). The stream is of the kind metrics.
func (r *result) writeArrow(w io.Writer, tool string) error {
	names, err := json.Marshal(r.names)
	if err != nil {
		return err
	}
	classes, err := json.Marshal(r.classes)
	if err != nil {
		return err
	}
	meta := arrow.NewMetadata([]string{"mm.stream", "mm.version", "mm.tool", "mm.modalities", "mm.classes"},
		[]string{string(schema.KindMetrics), schema.Version, tool, string(names), string(classes)})
	s := arrow.NewSchema([]arrow.Field{
		{Name: "metric", Type: arrow.BinaryTypes.String},
		{Name: "of", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, &meta)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	row := func(metric, of string, value number) {
		b.Field(0).(*array.StringBuilder).Append(metric)
		if of == "" {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(of)
		}
		if value != value {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.Float64Builder).Append(float64(value))
		}
	}
	row("samples", "", number(r.Samples))
	row("accuracy", "", r.Accuracy)
	row("macro_f1", "", r.MacroF1)
	row("mean_average_precision", "", r.MeanAveragePrecision)
	for _, c := range r.PerClass {
		row("class_accuracy", c.Key, c.Value)
	}
	for _, c := range r.Coalitions {
		row("coalition_accuracy", c.Key, c.Value)
	}
	for _, m := range r.Modalities {
		row("modality_accuracy", m.Key, m.Value.Accuracy)
		row("mean_contribution", m.Key, m.Value.MeanContribution)
		row("share_below_one", m.Key, m.Value.ShareBelowOne)
	}
	record := b.NewRecord()
	defer record.Release()
	out, err := stream.NewWriter(w, s)
	if err != nil {
		return err
	}
	if err := out.Write(record); err != nil {
		return err
	}
	return out.Close()
}

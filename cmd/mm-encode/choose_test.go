package main

import (
	"slices"
	"testing"
	"testing/fstest"

	"mmtools/pkg/dataset"
	"mmtools/pkg/encode"
)

// Every channel that a data set chooses from is in the words of the flags, and takes columns of its list.
func TestChoicesAreFlags(t *testing.T) {
	lists := map[string]fstest.MapFS{
		"kinetics-sounds": {"my_train.txt": {Data: []byte("abcdefghijk_1,10,0\n")}},
		"ucf101":          {"classInd.txt": {Data: []byte("1 A\n")}, "trainlist01.txt": {Data: []byte("A/a.avi 1\n")}, "testlist01.txt": {Data: []byte("A/b.avi\n")}},
		"mm-debiased":     {"MM-Debiased.json": {Data: []byte(`{"abcdefghijk_1": {"subset": "training", "label": "a"}}`)}},
		"vggsound":        {"vggsound.csv": {Data: []byte("abcdefghijk,1,a,train\n")}},
		"kinetics400":     {"train.csv": {Data: []byte("label,youtube_id,time_start,time_end\na,abcdefghijk,1,11\n")}},
		"cremad":          {"train.csv": {Data: []byte("a,NEU\n")}},
		"ave":             {"trainSet.txt": {Data: []byte("a&abcdefghijk&good&0&10\n")}},
	}
	check := func(name string, columns []string, choices []dataset.Choice) {
		if len(choices) < 2 {
			t.Errorf("%s: %d modalities", name, len(choices))
		}
		for _, choice := range choices {
			for _, channel := range choice {
				kind, ok := encode.LookKind(channel.Kind)
				if !ok {
					t.Fatalf("%s: no kind %s", name, channel.Kind)
				}
				if _, err := kind.ParseSpec(channel.Text, nil); err != nil {
					t.Errorf("%s: --%s %s: %v", name, channel.Kind, channel.Text, err)
				}
				for _, column := range channel.Columns {
					if columns != nil && !slices.Contains(columns, column) {
						t.Errorf("%s: --%s %s: no column %s", name, channel.Kind, channel.Text, column)
					}
				}
			}
		}
	}
	for _, name := range dataset.Names() {
		set, err := dataset.Open(name, lists[name], "", dataset.Options{})
		if err != nil {
			t.Fatal(err)
		}
		check(name, encode.DatasetList(set, t.TempDir()).Columns(), set.Choices())
	}
	check("folder", nil, dataset.Common(true))
	check("table", nil, dataset.Common(false))
}

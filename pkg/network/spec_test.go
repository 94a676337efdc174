package network

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"mmtools/pkg/stream"
)

// FuzzSpec: what a model stream says of its network is refused as bad input or can be laid out, and means the same written again.
func FuzzSpec(f *testing.F) {
	for _, text := range []string{
		`{"modalities":[{"name":"audio","kind":"audio","shape":[1,8,8],"backbone":"cnn:4,8"},{"name":"v","kind":"video","shape":[3,3,32,32],"backbone":"resnet18","input":"frames:3,size:32,crop,flip"}],"fusion":"concat","classes":["a","b"],"dropout":0.5}`,
		`{"modalities":[{"name":"a","kind":"embedding","shape":[5],"backbone":"mlp:4,3","standardize":true},{"name":"b","kind":"text","shape":[2],"backbone":"linear:4","frozen":true}],"fusion":"attention:2:8","classes":["a","b","c"]}`,
		`{"modalities":[{"name":"a","kind":"audio","shape":[4,16],"backbone":"temporal:8"},{"name":"b","kind":"flow","shape":[7],"backbone":"identity"}],"fusion":"film:a","classes":["x","y"]}`,
		`{"modalities":[{"name":"a","kind":"embedding","shape":[2147483647,2147483647,4],"backbone":"mlp:2147483647"}],"fusion":"gated:9223372036854775807","classes":["x","y"]}`,
		`{"modalities":[{"name":"a","kind":"embedding","shape":[1073741824],"backbone":"mlp:1073741824,1073741824"}],"fusion":"concat","classes":["x","y"]}`,
		`{"modalities":[{"name":"a","kind":"embedding","shape":[4],"backbone":"mlp:4294967296,4294967296"}],"fusion":"concat","classes":["x","y"]}`,
		`{"modalities":[{"name":"a","kind":"embedding","shape":[4611686018427387904],"backbone":"linear:4"}],"fusion":"concat","classes":["x","y"]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ParseSpec(raw)
		if err != nil {
			if !errors.Is(err, stream.ErrInput) {
				t.Fatalf("%v is not an input error", err)
			}
			return
		}
		layout, err := s.Layout()
		if err != nil {
			t.Fatal(err)
		}
		end := 0
		for _, slot := range layout.Params {
			if slot.Offset < end || slot.Size() < 1 || slot.Offset+slot.Size() > layout.ParamSize {
				t.Fatalf("%s: %v at %d of %d, after %d", slot.Name, slot.Shape, slot.Offset, layout.ParamSize, end)
			}
			end = slot.Offset + slot.Size()
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseSpec(text); err != nil || !reflect.DeepEqual(again.Channels(), s.Channels()) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// Kind says what a stream holds.
type Kind string

// The kinds of streams (metadata mm.stream).
const (
	KindSamples       Kind = "samples"
	KindModel         Kind = "model"
	KindContributions Kind = "contributions"
	KindPlan          Kind = "plan"
	KindPredictions   Kind = "predictions"
	KindMetrics       Kind = "metrics" // what mm-eval measured: metric, of, value
)

// Version is the version of the streams contract that is written, and the major version that is read.
const Version = "1"

// Metadata keys of every stream, in the order they are written.
const (
	keyStream     = "mm.stream"
	keyVersion    = "mm.version"
	keyTool       = "mm.tool"
	keySeed       = "mm.seed"
	keyModalities = "mm.modalities"
	keyClasses    = "mm.classes"
	keyDigest     = "mm.digest"
)

var commonKeys = []string{keyStream, keyVersion, keyTool, keySeed, keyModalities, keyClasses, keyDigest}

// ownKeys are the metadata keys that each kind has besides.
var ownKeys = map[Kind][]string{
	KindSamples:       nil,
	KindModel:         {keySpec, keyState, keySHA256},
	KindContributions: {keyValue, keyEstimator, keyPermutations, keyBaseline, keyEpoch},
	KindPlan:          {keyMethod, keyStrength, keyEpoch, keyShuffle},
	KindPredictions:   nil,
	KindMetrics:       nil,
}

// Digest names what a stream was made from; "" where there was none. A digest reads "sha256:" and hexadecimal digits.
type Digest struct {
	Samples string `json:"samples,omitempty"`
	Model   string `json:"model,omitempty"`
}

// Header is the metadata that every stream has.
type Header struct {
	Kind Kind   // set by the readers; each writer writes its own
	Tool string // name and version of the tool that wrote it
	Seed *uint64
	// Modalities are in bit order: bit i of a coalition is modality i. Kinds and shapes are known of samples alone;
	// elsewhere a modality is its name.
	Modalities []modality.Modality
	Classes    []string // in label order; nil where they are not known
	Digest     Digest
	// Extra is the metadata of others, and keys mm.* that are not known here. It is written again as it is; keys that
	// the stream defines are left out.
	Extra map[string]string
}

// ParseHeader reads the header of a schema. It returns stream.ErrInput for a schema that is none of ours, of another
// major version, or whose metadata does not parse.
func ParseHeader(s *arrow.Schema) (Header, error) {
	m := s.Metadata()
	get := func(key string) string {
		v, _ := m.GetValue(key)
		return v
	}
	h := Header{Kind: Kind(get(keyStream)), Tool: get(keyTool)}
	if h.Kind == "" {
		return h, hinted{stream.Errorf("not one of the tools' streams: metadata has no key %s", keyStream),
			"mm-encode arrays makes samples of Arrow, Parquet, CSV and NumPy files of other programs"}
	}
	own, known := ownKeys[h.Kind]
	if !known {
		return h, stream.Errorf("%s %q is not known", keyStream, h.Kind)
	}
	if v := get(keyVersion); v != Version && !strings.HasPrefix(v, Version+".") {
		return h, stream.Errorf("%s stream of version %q, want %s", h.Kind, v, Version)
	}
	if v := get(keySeed); v != "" {
		seed, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return h, stream.Errorf("metadata %s: got %q, want an integer from 0", keySeed, v)
		}
		h.Seed = &seed
	}
	var names []string
	for _, part := range []struct {
		key  string
		dest any
	}{{keyModalities, &names}, {keyClasses, &h.Classes}, {keyDigest, &h.Digest}} {
		if v, ok := m.GetValue(part.key); ok {
			if err := json.Unmarshal([]byte(v), part.dest); err != nil {
				return h, stream.Errorf("metadata %s: %w", part.key, err)
			}
		}
	}
	if len(names) == 0 {
		return h, stream.Errorf("metadata has no key %s, or it is empty", keyModalities)
	}
	for _, name := range names {
		h.Modalities = append(h.Modalities, modality.Modality{Name: name})
	}
	if err := checkModalities(names); err != nil {
		return h, stream.Errorf("metadata %s: %w", keyModalities, err)
	}
	for i, key := range m.Keys() {
		if !slices.Contains(commonKeys, key) && !slices.Contains(own, key) {
			if h.Extra == nil {
				h.Extra = map[string]string{}
			}
			h.Extra[key] = m.Values()[i]
		}
	}
	return h, nil
}

func checkModalities(names []string) error {
	if len(names) == 0 || len(names) > modality.Max {
		return fmt.Errorf("%d modalities, want 1 to %d", len(names), modality.Max)
	}
	for i, name := range names {
		if err := modality.CheckName(name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("modality %q is there twice", name)
		}
	}
	return nil
}

// pair is one metadata entry; an empty value is not written.
type pair struct{ key, value string }

// metadata returns the metadata of a stream of kind k: common keys, then own, then Extra by key.
func (h Header) metadata(k Kind, own ...pair) (*arrow.Metadata, error) {
	names := modality.Names(h.Modalities)
	if err := checkModalities(names); err != nil {
		return nil, err
	}
	pairs := []pair{{keyStream, string(k)}, {keyVersion, Version}, {keyTool, h.Tool}}
	if h.Seed != nil {
		pairs = append(pairs, pair{keySeed, strconv.FormatUint(*h.Seed, 10)})
	}
	pairs = append(pairs, pair{keyModalities, encode(names)})
	if h.Classes != nil {
		pairs = append(pairs, pair{keyClasses, encode(h.Classes)})
	}
	if h.Digest != (Digest{}) {
		pairs = append(pairs, pair{keyDigest, encode(h.Digest)})
	}
	pairs = append(pairs, own...)

	var keys, values []string
	for _, p := range pairs {
		if p.value != "" {
			keys, values = append(keys, p.key), append(values, p.value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(h.Extra)) {
		if !slices.Contains(commonKeys, key) && !slices.Contains(ownKeys[k], key) {
			keys, values = append(keys, key), append(values, h.Extra[key])
		}
	}
	m := arrow.NewMetadata(keys, values)
	return &m, nil
}

// encode returns v as JSON with <, > and & as they are: metadata is not HTML.
func encode(v any) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings and structs of strings always encode
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// readHeader reads the header of a reader's stream, which must be of kind want.
func readHeader(r *stream.Reader, want Kind) (Header, error) {
	h, err := ParseHeader(r.Schema())
	if err != nil {
		return h, fmt.Errorf("%s: %w", r.Name(), err)
	}
	if h.Kind != want {
		return h, stream.Errorf("%s: got a %s stream, want %s", r.Name(), h.Kind, want)
	}
	return h, nil
}

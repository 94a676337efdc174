package schema

import (
	"math"
	"strconv"

	"mmtools/pkg/stream"
)

// values reads metadata that is optional: a missing key is the zero value, one that does not parse sets err.
type values struct {
	r   *stream.Reader
	err error
}

func (v *values) text(key string) string {
	s, _ := v.r.Schema().Metadata().GetValue(key)
	return s
}

func (v *values) fail(key, got, want string) {
	v.err = stream.Errorf("%s: metadata %s: got %q, want %s", v.r.Name(), key, got, want)
}

func (v *values) integer(key string) int {
	s := v.text(key)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		v.fail(key, s, "an integer from 0")
	}
	return n
}

func (v *values) number(key string) float64 {
	s := v.text(key)
	if s == "" {
		return 0
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		v.fail(key, s, "a number")
	}
	return x
}

func (v *values) flag(key string) bool {
	switch s := v.text(key); s {
	case "", "false":
		return false
	case "true":
		return true
	default:
		v.fail(key, s, "true or false")
		return false
	}
}

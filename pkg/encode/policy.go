package encode

import (
	"fmt"
	"slices"
)

// Policy is what becomes of a sample one of whose modalities is missing or broken.
type Policy string

// The policies. Null leaves the modality out: the sample stays, as one that lacks it.
const (
	Fail Policy = "fail" // the run ends with its error
	Skip Policy = "skip" // the sample is left out
	Null Policy = "null" // the modality is left out
)

// ParsePolicy reads a policy's name; "" is Fail.
func ParsePolicy(name string) (Policy, error) {
	p := Policy(name)
	if p == "" {
		return Fail, nil
	}
	if !slices.Contains([]Policy{Fail, Skip, Null}, p) {
		return "", fmt.Errorf("%q: want fail, skip or null", name)
	}
	return p, nil
}

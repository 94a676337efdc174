package schema

import (
	"fmt"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// listed is how many names an error spells out.
const listed = 12

// classesError is that of samples of other classes than a model's.
type classesError struct{ error }

func (e classesError) Unwrap() error { return e.error }

// Hint returns what can be done about it.
func (e classesError) Hint() string {
	return "mm-encode --classes gives samples the classes of a model, also where none of them has some: mm-eval show MODEL lists these"
}

// SameClasses returns an error where samples, of the stream name, have other classes than a model or have them in another order.
func SameClasses(name string, got []string, model string, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	if max(len(got), len(want)) <= listed {
		return classesError{stream.Errorf("%s: classes %s, but those of %s are %s", name, all(got), model, all(want))}
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return classesError{stream.Errorf("%s: %d classes, of which label %d is %s, but %s has %d, and there it is %s",
		name, len(got), at, nth(got, at), model, len(want), nth(want, at))}
}

func all(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func nth(names []string, i int) string {
	if i >= len(names) {
		return "none"
	}
	return fmt.Sprintf("%q", names[i])
}

package schema

import (
	"fmt"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// listed is how many names an error spells out.
const listed = 12

// hinted is an error with what can be done about it.
type hinted struct {
	error
	hint string
}

func (e hinted) Unwrap() error { return e.error }

// Hint returns what can be done about it.
func (e hinted) Hint() string { return e.hint }

const classesHint = "mm-encode --classes gives samples the classes of a model, also where none of them has some: mm-eval show MODEL lists these"

// SameClasses returns an error where samples, of the stream name, have other classes than a model or have them in another order.
func SameClasses(name string, got []string, model string, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	if max(len(got), len(want)) <= listed {
		return hinted{stream.Errorf("%s: classes %s, but those of %s are %s", name, all(got), model, all(want)), classesHint}
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return hinted{stream.Errorf("%s: %d classes, of which label %d is %s, but %s has %d, and there it is %s",
		name, len(got), at, nth(got, at), model, len(want), nth(want, at)), classesHint}
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

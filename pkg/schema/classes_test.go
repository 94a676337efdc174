package schema

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"mmtools/pkg/stream"
)

// Few classes are all named; of many, which might begin alike, the first that differs.
func TestSameClasses(t *testing.T) {
	many := strings.Split("a b c d e f g h i j k l m n", " ")
	for _, c := range []struct {
		name      string
		got, want []string
		err       string
	}{
		{"same", many, many, ""},
		{"none", nil, nil, ""},
		{"fewer", many[:2], many[:3], "s: classes a, b, but those of m are a, b, c"},
		{"unlabelled", nil, many[:2], "s: classes none, but those of m are a, b"},
		{"the last of many", many[:13], many, `s: 13 classes, of which label 13 is none, but m has 14, and there it is "n"`},
		{"one of many", append(append([]string{}, many[:12]...), "x", "n"), many, `s: 14 classes, of which label 12 is "x", but m has 14, and there it is "m"`},
	} {
		err := SameClasses("s", c.got, "m", c.want)
		if c.err == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var hinted interface{ Hint() string }
		if err == nil || err.Error() != c.err || !errors.Is(err, stream.ErrInput) || !errors.As(err, &hinted) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.err)
		}
	}
}

// Who gives a tool the table of a data frame learns what makes samples of it.
func TestForeignStreamHasAHint(t *testing.T) {
	_, err := ParseHeader(arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil))
	var hinted interface{ Hint() string }
	if !errors.Is(err, stream.ErrInput) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "mm-encode arrays") {
		t.Errorf("got %v, want bad input with a hint", err)
	}
}

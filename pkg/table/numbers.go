package table

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// appendText appends the numbers in a cell of text: "0.5", "0.5 1 2", "0.5;1;2" or "[0.5, 1, 2]", as pandas writes a list.
// NaN and infinities are errors: no sample may hold one.
func appendText(dst []float32, text string) ([]float32, error) {
	inner := strings.TrimSpace(text)
	if n := len(inner); n >= 2 && (inner[0] == '[' && inner[n-1] == ']' || inner[0] == '(' && inner[n-1] == ')') {
		inner = inner[1 : n-1]
	}
	for field := range strings.FieldsFuncSeq(inner, isSeparator) {
		v, err := parseNumber(field)
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
	}
	return dst, nil
}

func isSeparator(r rune) bool {
	return r == ' ' || r == ',' || r == ';' || r == '\t' || r == '\n' || r == '\r'
}

func parseNumber(text string) (float32, error) {
	v, err := strconv.ParseFloat(text, 32)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%.40q is not a finite number", text)
	}
	return float32(v), nil
}

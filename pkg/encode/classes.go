package encode

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"mmtools/pkg/stream"
)

// classIndex returns the label of each class name; an error for an empty or repeated name.
func classIndex(classes []string) (map[string]int32, error) {
	index := make(map[string]int32, len(classes))
	for i, name := range classes {
		if name == "" {
			return nil, fmt.Errorf("class %d has no name", i)
		}
		if first, ok := index[name]; ok {
			return nil, fmt.Errorf("class %q twice, as labels %d and %d", name, first, i)
		}
		index[name] = int32(i)
	}
	return index, nil
}

// sortedClasses returns the distinct values other than "", in numeric order where all are numbers, else in byte order.
func sortedClasses(values []string) []string {
	classes := slices.Clone(values)
	slices.Sort(classes)
	classes = slices.Compact(classes)
	if len(classes) > 0 && classes[0] == "" {
		classes = classes[1:]
	}
	numbers := make(map[string]float64, len(classes))
	for _, c := range classes {
		v, err := strconv.ParseFloat(c, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return classes
		}
		numbers[c] = v
	}
	slices.SortStableFunc(classes, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	return classes
}

// checkIDs returns an error for an empty or a repeated id; place names where row i comes from.
func checkIDs(ids []string, place func(i int) string) error {
	seen := make(map[string]int, len(ids))
	for i, id := range ids {
		if id == "" {
			return stream.Errorf("%s: empty id", place(i))
		}
		if first, ok := seen[id]; ok {
			return stream.Errorf("%s: id %q is also that of %s", place(i), id, place(first))
		}
		seen[id] = i
	}
	return nil
}

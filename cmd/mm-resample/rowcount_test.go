package main

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// In whatever order: all rows once are none twice, one more is one twice, and so is one in the place of another; where rows are missing
// nothing is known.
func TestRowCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 200).Draw(t, "n")
		of := func(rows []int) bool {
			rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			var c rowCount
			for _, row := range rows {
				c.row(int64(row))
			}
			return c.twice()
		}
		var all []int
		for row := range n {
			all = append(all, row)
		}
		if of(all) {
			t.Fatal("each once is said to be twice")
		}
		more := append(all, rapid.IntRange(0, n-1).Draw(t, "again"))
		if !of(more) {
			t.Fatal("one more goes unnoticed")
		}
		var replaced []int
		for row := range n {
			replaced = append(replaced, row)
		}
		replaced[rapid.IntRange(0, n-2).Draw(t, "lost")] = n - 1
		if !of(replaced) {
			t.Fatal("one in the place of another goes unnoticed")
		}
		if of([]int{n + 5, n + 5}) {
			t.Fatal("where rows are missing")
		}
	})
	if (&rowCount{}).twice() {
		t.Error("of no row")
	}
}

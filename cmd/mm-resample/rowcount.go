package main

import "mmtools/pkg/schema"

// rowCount tells in constant memory whether rows of samples are there twice, where none up to the last is missing: as many rows as there are
// up to the last are each there once if they are all those, which a sum of their hashes tells, whatever their order. Where rows are
// missing, as those of a fold that was left out, one that is there twice goes unnoticed; of those mm-fit warns.
type rowCount struct {
	rows, last int64 // last: the largest row
	sum        uint64
}

// add counts the rows of a batch.
func (c *rowCount) add(b *schema.ContributionsBatch) {
	for i := range b.Rows() {
		c.row(b.Row(i))
	}
}

func (c *rowCount) row(row int64) {
	c.rows++
	c.last = max(c.last, row)
	c.sum += hash(uint64(row))
}

// twice reports whether a row is known to have been there before.
func (c *rowCount) twice() bool {
	if c.rows != c.last+1 {
		return c.rows > c.last+1
	}
	var each uint64
	for row := range c.rows {
		each += hash(uint64(row))
	}
	return each != c.sum
}

// hash is the finalizer of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014).
func hash(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

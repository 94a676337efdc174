package resample

import "math/rand/v2"

// Draws are draws with replacement from rows 0, 1, ..., N-1, told in row order: how often row 0 was drawn, how often row
// 1, and so on. They are distributed exactly as a list of draws would be, for given the draws that fell on earlier
// rows, the remaining ones fall uniformly on the rows that are left:
//
//	times(row k) ~ Binomial(draws left, 1/(N-k))
//
// (the conditional distribution of the multinomial: Devroye 1986, XI.1.4), in memory that depends neither on N nor on the
// number of draws. The zero value draws nothing.
type Draws struct {
	left, rows int64
	random     *rand.Rand
}

// NewDraws returns draws among rows rows. It panics on draws among no rows.
func NewDraws(draws, rows int64, random *rand.Rand) *Draws {
	if draws < 0 || rows < 0 || draws > 0 && rows == 0 {
		panic("resample: draws among no rows")
	}
	return &Draws{left: draws, rows: rows, random: random}
}

// Next returns how often the next row was drawn; after the last row it is 0.
func (d *Draws) Next() int64 {
	if d.left == 0 || d.rows == 0 {
		return 0
	}
	times := d.left // the last row takes what is left
	if d.rows > 1 {
		times = binomial(d.random, d.left, 1/float64(d.rows))
	}
	d.left -= times
	d.rows--
	return times
}

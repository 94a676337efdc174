package resample

import "fmt"

// CheckAlpha returns an error for a share of the newest contributions that Smooth cannot work with.
func CheckAlpha(alpha float64) error {
	if !(alpha > 0 && alpha <= 1) {
		return fmt.Errorf("smooth %v: want a number above 0 and at most 1", alpha)
	}
	return nil
}

// Smooth takes the contributions of a newer epoch, next, into the exponential mean of those before it, mean: alpha of the
// newer, 1 - alpha of the mean. The first epoch is its own mean. Where the newer is NaN, the sample lacks the modality, and
// the mean is NaN too; where the mean is NaN, it is the newer.
func Smooth(mean, next []float64, alpha float64) {
	for i, x := range next[:len(mean)] {
		switch m := mean[i]; {
		case x != x || m != m:
			mean[i] = x
		default:
			mean[i] = m + alpha*(x-m)
		}
	}
}

// Normalize divides contributions, (n,rows), by what a fair share is, so that 1 is one: share, or where it is divided share
// over the modalities that the sample has, NaN being none.
func Normalize(phi [][]float64, share float64, divided bool) {
	for row := range phi[0] {
		fair := share
		if divided {
			players := 0
			for _, column := range phi {
				if column[row] == column[row] {
					players++
				}
			}
			fair = share / float64(players)
		}
		for _, column := range phi {
			column[row] /= fair
		}
	}
}

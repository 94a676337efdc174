package report

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// niceTicks returns labelled ticks at multiples of 1, 2 or 5 times a power of ten that cover [low, high] with at most
// about most of them; the first and last may lie outside by less than a step.
func niceTicks(low, high float64, most int) []plot.Tick {
	if !(high > low) {
		high = low + 1
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(most))))
	for _, times := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if (high-low)/step <= float64(most) {
			break
		}
		step *= times
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var ticks []plot.Tick
	for i := math.Floor(low/step + 1e-9); i <= math.Ceil(high/step-1e-9); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: number(i*step, decimals)})
	}
	return ticks
}

// span sets an axis to ticks and their range.
func span(a *plot.Axis, ticks []plot.Tick) {
	a.Tick.Marker = plot.ConstantTicks(ticks)
	a.Min, a.Max = ticks[0].Value, ticks[len(ticks)-1].Value
}

// number writes x with that many decimals, -1 for as many as it needs, and a true minus sign.
func number(x float64, decimals int) string {
	s := strconv.FormatFloat(x+0, 'f', decimals, 64) // -0 + 0 is +0
	return strings.Replace(s, "-", "\u2212", 1)
}

package report_test

import (
	"bytes"
	"fmt"

	"mmtools/pkg/report"
)

func Example() {
	before := report.NewHistogram("before", []string{"audio", "image"})
	for _, phi := range [][2]float64{{1.5, 0.5}, {1.5, 0.5}, {1, 1}} {
		before.Add(0, phi[0])
		before.Add(1, phi[1])
	}
	figure, err := report.Contributions("Contributions", []*report.Histogram{before})
	if err != nil {
		fmt.Println(err)
		return
	}
	var svg bytes.Buffer
	if err := figure.Write(&svg, report.SVG); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(figure.Alt)
	// Output: Distribution of the contributions. before, audio: mean 1.333 over 3 samples; before, image: mean 0.667 over 3 samples.
}

package metric_test

import (
	"fmt"

	"mmtools/pkg/metric"
)

func Example() {
	a := metric.NewAccumulator(2)
	a.Add([]int32{0, 1, 1}, []int32{0, 1, 0}, []float32{.8, .2, .1, .9, .6, .4})
	fmt.Printf("accuracy %.3f, macro F1 %.3f, mean AP %.3f\n", a.Accuracy(), a.MacroF1(), a.MeanAveragePrecision())
	// Output: accuracy 0.667, macro F1 0.667, mean AP 1.000
}

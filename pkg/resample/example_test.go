package resample_test

import (
	"fmt"

	"mmtools/pkg/resample"
)

// batch holds the contributions of two samples, by modality.
type batch [2][]float64

func (b batch) Rows() int           { return len(b[0]) }
func (b batch) Phi(p int) []float64 { return b[p] }
func (b batch) Label(int) int32     { return -1 }

// The audio of sample 1 misleads: it is trained alone three times, the video once.
func ExampleSampleLevel() {
	names := []string{"audio", "video"}
	contributions := func(visit func(batch) error) error {
		return visit(batch{{1, -0.5}, {1, 0.5}})
	}
	summary, err := resample.SampleLevel(contributions, names, resample.SampleOptions{Strength: 1},
		func(_ batch, picks *resample.Picks) error {
			for k, index := range picks.Index {
				fmt.Println(index, picks.Keep[k].Label(names))
			}
			return nil
		})
	fmt.Println(summary.Samples, "samples, copies", summary.Copies, err)
	// Output:
	// 0 audio+video
	// 1 audio+video
	// 1 audio
	// 1 audio
	// 1 audio
	// 1 video
	// 2 samples, copies [3 1] <nil>
}

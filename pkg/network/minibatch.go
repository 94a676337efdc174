package network

import "mmtools/pkg/modality"

// Minibatch is a group of samples on the host, dense and ready for a device.
type Minibatch struct {
	Rows   int
	X      [][]float32          // X[p] is (Rows, size of modality p), row major; a masked or missing row is ignored
	Keep   []modality.Coalition // (Rows): the modalities present in each row
	Label  []int32              // (Rows): class indices; -1 where unlabelled (evaluation only)
	Weight []float32            // (Rows): multiplies the row's loss (training only)
}

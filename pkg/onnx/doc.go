// Package onnx runs a model in the ONNX format on batches of samples, through ONNX Runtime's shared library, which it opens at run
// time: pretrained encoders, whose embeddings stand in the samples stream for the raw tensors.
//
//	m, err := onnx.Open("encoder.onnx", onnx.Options{})
//	e, err := m.Encoder(onnx.Plan{Inputs: []onnx.Input{{Shape: []int{3, 224, 224}}}})
//	r, err := e.NewRunner()           // one for each goroutine
//	err = r.Put(0, row, pixels)       // input 0 of each row of a batch
//	err = r.Run(rows)
//	r.Take(row, embedding)            // e.Shape(), float32
//
// An encoder always runs whole batches of one size; rows that are not used hold the first row again. So a sample's embedding does not
// depend on how many others came with it, and a model whose batch size is fixed runs like any other. Each run works on its caller's
// goroutine alone unless Options.Threads says more: independent runners use the cores, and results do not depend on their number.
//
// The library must speak version 24 of ONNX Runtime's C interface: release 1.24 or later. Library tells where it is looked for. A build
// without cgo opens nothing and says so.
package onnx

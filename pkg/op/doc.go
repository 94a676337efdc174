// Package op holds the operations of a model as Gorgonia operations with symbolic gradients.
//
// A model is a Gorgonia expression graph over these operations, and gorgonia.Grad derives its backward graph. The graph
// then runs in either of two ways: in Gorgonia's own machines, through Do, on the host; or, planned once, in
// pkg/machine, through Run, on any kernel.Device. Both call the same kernels, and the tests hold them equal.
//
// Every attribute of an operation is in its String, which is what it hashes: Gorgonia merges nodes whose operation hash
// and children are equal, so an attribute left out would silently merge two nodes that differ. That is also why
// Gorgonia's own Concat and Slice are not used: their hash keeps one byte of start and end, and gradients of slices
// whose offsets differ by a multiple of 256 are taken for one another.
package op

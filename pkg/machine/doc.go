// Package machine is a Gorgonia virtual machine that plans once and then only runs.
//
// Compile takes the nodes wanted of an expression graph, sorts what they need, gives every value a place in one arena
// (values whose lives do not overlap share memory; an operation that may work in place does), and keeps a flat list of
// instructions. Run walks that list on a kernel.Device: it allocates nothing, checks nothing again, and takes minibatches
// of any number of rows up to the planned one. Parameters, gradients and optimizer state stay in memory of the caller,
// bound to their nodes.
//
// It stands beside Gorgonia's own tape and Lisp machines, which allocate per step; the tests hold it equal to the tape
// machine.
package machine

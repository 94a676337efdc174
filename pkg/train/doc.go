// Package train trains a model on samples under a plan: epochs of minibatches, an optimizer, a learning-rate schedule,
// validation and best-model keeping.
//
// An epoch is a function of the model stream, the samples and the plan: its order is drawn from a stream that the seed
// and the epoch's number name, so ten epochs in one process and ten processes of one epoch give the same bytes.
//
// Cost: a step runs the planned graph (pkg/machine) and one pass of the optimizer over all parameters; nothing is
// allocated per step. Samples are read where they lie when they come from a file, and buffered when they come from a pipe.
package train

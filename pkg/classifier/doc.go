// Package classifier opens a model stream on a device, ready to be asked for the logits of any coalition.
//
// The stream is read once. What takes longest of it is the digest that its rows are held against, which is computed on another
// thread while the device starts, the graph is planned, and the tensors go from where the file holds them to the device, in one
// copy. Nothing is returned of a model whose rows do not give its digest.
package classifier

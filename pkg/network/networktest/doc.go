// Package networktest makes models and samples that tests share: a model whose modalities are logits, with the table of
// docs/design.md as its samples, and the published network with noise for samples. Only tests import it.
package networktest

// Package valuation finds what each modality contributes to the classification of each sample: the Shapley value of the
// game that the modalities play.
//
// A coalition C of modalities is given to the model, the others masked: their features are zero, the head's bias stays.
// It is right where its logits have their maximum at the label (at the first maximum, as torch.argmax takes it), and
//
//	v(C) = |C| where C is right, else 0         phi = the Shapley values of v (see package shapley)
//
// so that phi = 1 is a modality's fair share, and the phi of a sample sum to n where all modalities together are right,
// else to 0. A modality that a sample lacks is no player: the game is played by the others, and its phi is NaN.
//
// That is the published valuation, and the default. Other values of a coalition's logits are a Value: 1 where it is right,
// the label's probability or its logarithm, the margin. All but the published one start from what the bias alone is worth,
// v({}), and the phi of a sample sum to v(all) - v({}). What stands in for a modality that a coalition lacks is an Absence:
// the mean feature, zero or mean inputs, or the modalities of samples drawn from a reference. Which coalitions are looked
// at, and how phi is computed from them, is an Estimator. Unlabelled samples can be valued by what the model predicts.
//
// Source: Y. Wei, R. Feng, Z. Wang and D. Hu, Enhancing Multimodal Cooperation via Sample-level Modality Valuation,
// CVPR 2024, section 3.2, equations 1 to 3.
//
// A model is a Predictor. Where its head is linear over features that join additively, it is Additive, and the logits of
// a coalition are a sum of one part a modality: the backbones run once a minibatch, and every coalition then costs one
// addition of (C) numbers. Sums are built up along the coalitions' prefix tree, each from its parent by adding a part
// in modality order, and never by subtracting: what a coalition's logits are depends on nothing but the coalition. (A Gray
// code, which changes one modality at a time, takes as many additions, but it has to subtract too, and its sums drift.)
// What replaces an absent modality is a part as well, by the head's linearity. A model that is not Additive can be Featured: what
// replaces an absent modality is then put in the place of its feature, and what follows the features runs once a coalition and draw.
//
// Run goes through a samples stream batch by batch, in memory that does not grow with the stream: the next batch is read while one is
// valued, and a model that is a Queue, such as one on a card, takes in a minibatch while it computes the last. Rows are divided over
// threads, beside the model where minibatches are queued, and the results do not depend on how many there are. RunPredictions values the predictions of any other
// framework, given every coalition of every sample. Values that are whole numbers are computed in integers: phi and its
// mean are exact to the last rounding. A Reading gathers what there is to read in the results.
//
// Cost: 2^n - 1 vector additions and comparisons a sample, about twice as many where absent modalities are not zero, times
// the draws of Marginal; values of probabilities take C exponentials a coalition besides. Limits: 1 to 20 modalities
// exactly, 64 estimated.
package valuation

// Package resample turns the contributions of modalities to samples into the training plan of the next epoch: every
// sample once, whole, and more copies of samples in which only a weak modality is kept.
//
// Sample level: a modality whose contribution phi_i to a sample is below its fair share of 1 is trained alone on that
// sample, the more often the less it contributes; n is the number of modalities that the sample has:
//
//	copies_i = max(1, round(n (1 - phi_i) strength))  where phi_i < 1, else 0
//
// For n = 2 exact contributions are halves, and strength 1 gives what the published thresholds do: one copy at 0.5 (0.4 <
// phi < 1), two at 0 (-0.1 < phi < 0.4), three at -0.5 (phi < -0.1). Other functions of 1 - phi are a Copying. The extra
// rows can be scaled to a budget, evened out over the classes, or be one row whose weight is the number of copies.
//
// Modality level: a subset of the samples, ratio of them, is drawn with replacement; l is the modality of the lowest
// mean contribution in it, and d the distance to the highest. Then f(d)·N of the samples are drawn with replacement
// and only l is kept in them:
//
//	linear  f(d) = alpha 2d/3      tanh  f(d) = tanh(alpha 2d/3)      power  f(d) = alpha (2d/3)^1.5
//
// Of more than two modalities all whose mean lies below the average of the means share these samples, in proportion to how
// far below.
//
// Adaptive and Reducible spread a number of rows over modalities of samples by other rules; both are of the sample level.
//
// A Control adds as many rows by other means, to tell what the contributions are good for from what more rows are good for.
// Smooth takes the mean of contributions over epochs; Normalize brings those of other values to a fair share of 1.
//
// Source: Y. Wei, R. Feng, Z. Wang and D. Hu, Enhancing Multimodal Cooperation via Sample-level Modality Valuation,
// CVPR 2024, section 3.4.
//
// A modality that a sample lacks (phi is NaN) is kept in none of its rows and gets no copies of it; at modality level
// the means are over the samples that have the modality, and the extra samples are drawn among those that have l.
//
// Everything streams: contributions come in batches through a Pass, plan rows leave in batches through an Emit, and
// memory does not grow with the number of samples. None and SampleLevel make one pass, SampleLevel two where the number of
// extra rows has to be known before the first (see SampleOptions.Passes), ModalityLevel three. Draws with
// replacement are made in row order (see Draws), so that the third pass needs no list of what was drawn. A plan
// depends on the contributions, the options, the seed and the epoch alone, not on how rows fall into batches.
//
// Cost: a few nanoseconds a row and modality, and about 40 a row for a draw.
package resample

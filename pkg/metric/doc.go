// Package metric measures how well predictions match labels: pure functions over plain slices.
//
//	accuracy    = sum_c N[c,c] / N                     N[a,b]: samples of class a predicted as b
//	recall_c    = N[c,c] / sum_b N[c,b]                per-class accuracy
//	F1_c        = 2 N[c,c] / (sum_b N[c,b] + sum_a N[a,c])
//	macro F1    = mean of F1_c over the classes that occur among the labels or the predictions
//	AP_c        = sum_k (R_k - R_{k-1}) P_k            over the distinct scores, highest first
//	mean AP     = mean of AP_c over the classes with at least one sample
//	AUC         = P(s+ > s-) + P(s+ = s-) / 2          Mann and Whitney 1947
//
// The definitions are those of scikit-learn 1.2 (confusion_matrix, f1_score(average="macro"),
// average_precision_score, roc_auc_score), and the tests hold them to its numbers.
//
// A figure without any sample to rest on (the accuracy of zero samples, the recall of a class that has none) is NaN,
// never 0. Labels and predictions are class indices 0..C-1; anything else is the caller's mistake and panics.
//
// Cost: everything is O(N) time and O(C^2) memory, but for the mean AP, which must keep the scores of all samples
// (4 C + 4 bytes each; see Accumulator) and sorts them, O(C N log N).
package metric

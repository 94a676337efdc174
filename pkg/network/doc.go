// Package network builds the models as Gorgonia expression graphs: one backbone a modality, a fusion of their features
// under a mask, one linear head, and the loss.
//
//	z_p    = backbone_p(standardize_p(x_p))                      (B,D_p)
//	z      = fusion of keep_p z_p                                (B,D)
//	logits = z Wᵀ + b                                            (B,C)
//
// An absent modality is the zero vector at the feature, after the backbone; the head's bias stays (Wei et al., CVPR
// 2024, section 3). Fusion by attention leaves it out instead: of what is attended to, and of the mean.
//
//	concat, sum               the features side by side, or added: the logits are a sum of one part a modality
//	film[:NAME]               one modality modulated by the others (Perez et al. 2018)
//	gated[:WIDTH]             gated multimodal units (Arevalo et al. 2017)
//	attention[:HEADS:WIDTH]   self-attention among the modalities' tokens (Vaswani et al. 2017)
//
// An Evaluator gives the logits of every coalition. Where they are no sum of parts, the graph is cut where the mask enters:
// the backbones run once a minibatch, the fusion and the head once a coalition.
//
// Parameters carry PyTorch's names and layouts, so that weights can be exchanged: backbones.NAME.0.weight (out,in),
// backbones.NAME.0.bias, fusion.fc.weight, head.weight, head.bias.
package network

// Package network builds the models as Gorgonia expression graphs: one backbone a modality, a fusion of their features
// under a mask, one linear head, and the loss.
//
//	z_p    = backbone_p(standardize_p(x_p))                      (B,D_p)
//	z      = concat over p of keep_p z_p, or their sum           (B,D)
//	logits = z Wᵀ + b                                            (B,C)
//
// An absent modality is the zero vector at the feature, after the backbone; the head's bias stays (Wei et al., CVPR
// 2024, section 3). Parameters carry PyTorch's names and layouts, so that weights can be exchanged:
// backbones.NAME.0.weight (out,in), backbones.NAME.0.bias, head.weight, head.bias.
package network

package network

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
)

// backbone is one modality's encoder.
type backbone interface {
	// width returns the feature's width D.
	width() int
	// declare adds the parameters and buffers, their names under prefix.
	declare(l *Layout, prefix string)
	// build adds the encoder to the graph: x (B,size) to the feature (B,D).
	build(g *Graph, prefix string, x *gorgonia.Node) (*gorgonia.Node, error)
}

// Backbones describes the backbones that a Spec can name.
const Backbones = "identity, linear:H, mlp:H1,H2,..., cnn:C1,C2,..., temporal:C1,C2,..., resnet18 or resnet34"

// parseBackbone reads a backbone's description, for the modality that it encodes.
func parseBackbone(s string, m modality.Modality) (backbone, error) {
	kind, arg, _ := strings.Cut(s, ":")
	switch kind {
	case "identity", "linear", "mlp":
		return parseStack(s, kind, arg, m.Size())
	case "cnn", "temporal":
		return parseCNN(s, kind, arg, m)
	case "resnet18", "resnet34":
		return parseResNet(s, m)
	default:
		return nil, fmt.Errorf("backbone %q: want %s", s, Backbones)
	}
}

// isImage reports whether a backbone sees its input as feature maps, standardized channel by channel.
func isImage(b backbone) bool {
	_, dense := b.(stack)
	return !dense
}

// frames reads a modality's shape as frames of feature maps: (H,W) is one channel, (C,H,W) one frame, (T,C,H,W) T frames.
func frames(m modality.Modality) (int, kernel.Image, error) {
	switch s := m.Shape; len(s) {
	case 2:
		return 1, kernel.Image{C: 1, H: s[0], W: s[1]}, nil
	case 3:
		return 1, kernel.Image{C: s[0], H: s[1], W: s[2]}, nil
	case 4:
		return s[0], kernel.Image{C: s[1], H: s[2], W: s[3]}, nil
	default:
		return 0, kernel.Image{}, fmt.Errorf("shape %v: an image backbone takes (H,W), (C,H,W) or (T,C,H,W)", s)
	}
}

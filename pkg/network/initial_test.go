package network

import (
	"math"
	"strings"
	"testing"

	"mmtools/pkg/modality"
)

// A new ResNet is drawn as published: convolutions normal with variance 2 / fan out (He et al. 2015), batch normalisations' weights normal
// around 1 with deviation 0.02 and biases 0, running means 0 and variances 1; linear layers as PyTorch's, uniform up to 1/sqrt(fan in).
func TestInitialWeights(t *testing.T) {
	s := weightsSpec("resnet18", 2)
	s.Modalities[1] = Channel{Modality: modality.Modality{Name: "sensor", Kind: modality.Embedding, Shape: []int{400}}, Backbone: "linear:100"}
	l, tensors := untrained(t, s, 3)
	normal := map[string]bool{}
	for i, tensor := range tensors {
		var fourth, sum, square, largest float64
		mean, deviation, bound := 0.0, 0.0, 0.0
		switch last := tensor.Name[strings.LastIndexByte(tensor.Name, '.')+1:]; {
		case len(tensor.Shape) == 4:
			deviation = math.Sqrt(2 / float64(tensor.Shape[0]*tensor.Shape[2]*tensor.Shape[3]))
		case strings.HasPrefix(tensor.Name, "head."):
			bound = 1 / math.Sqrt(612)
		case strings.HasPrefix(tensor.Name, "backbones.sensor."):
			bound = 1.0 / 20
		case strings.HasPrefix(tensor.Name, "backbones.visual.") && last == "weight":
			mean, deviation = 1, 0.02
		case last == "running_var":
			mean = 1
		}
		if i < len(l.Params) {
			normal[tensor.Name] = deviation > 0
		}
		for _, v := range tensor.Data {
			d := float64(v) - mean
			sum, square, fourth, largest = sum+d, square+d*d, fourth+d*d*d*d, max(largest, math.Abs(d))
		}
		n := float64(len(tensor.Data))
		switch {
		case deviation > 0: // of n draws the mean is off by deviation / sqrt(n), the variance by sqrt(2 / n) of it, and the fourth moment, 3, by sqrt(96 / n)
			variance := deviation * deviation
			if math.Abs(sum/n) > 5*deviation/math.Sqrt(n) || math.Abs(square/n/variance-1) > 5*math.Sqrt(2/n) || math.Abs(fourth/n/variance/variance-3) > 8*math.Sqrt(96/n) {
				t.Errorf("%s %v: mean %v, deviation %v, fourth moment %v, want %v, %v normal", tensor.Name, tensor.Shape, mean+sum/n, math.Sqrt(square/n), fourth/n/variance/variance, mean, deviation)
			}
		case bound > 0: // the variance of a uniform draw is a third of its bound's square
			if largest > bound*(1+1e-6) || n > 100 && (math.Abs(3*square/n/bound/bound-1) > 5/math.Sqrt(n) || math.Abs(sum/n) > 5*bound/math.Sqrt(3*n)) {
				t.Errorf("%s %v: largest %v, mean %v, want uniform up to %v", tensor.Name, tensor.Shape, largest, sum/n, bound)
			}
		case largest > 0:
			t.Errorf("%s: off %v by %v", tensor.Name, mean, largest)
		}
	}
	if !normal["backbones.visual.conv1.weight"] || !normal["backbones.visual.layer4.1.bn2.weight"] || normal["backbones.visual.layer4.1.bn2.bias"] {
		t.Error("the network has not the tensors that this test looks at")
	}
}

//go:build dnnl

package train

// curves tells whether convolutions are fast enough for twenty steps of two ResNet-18: seconds, where plain Go takes minutes.
const curves = true

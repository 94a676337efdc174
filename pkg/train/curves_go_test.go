//go:build !dnnl

package train

const curves = false

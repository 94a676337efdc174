//go:build !cgo || !linux || !(openblas || dnnl)

package media

// turbo is libjpeg-turbo, which this build has not.
type turbo struct{}

func openTurbo() (*turbo, error) { return nil, errNoTurbo }

func (*turbo) decode([]byte, []byte, jpegFrame) error { return errNoTurbo }
func (*turbo) close()                                 {}

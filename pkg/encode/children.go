package encode

import (
	"sync"

	"mmtools/pkg/ffmpeg"
)

// children are ffmpeg's programs, looked up where a file needs them.
type children struct {
	once  sync.Once
	tools *ffmpeg.Tools
	err   error
}

func (c *children) get() (*ffmpeg.Tools, error) {
	c.once.Do(func() { c.tools, c.err = ffmpeg.Find() })
	return c.tools, c.err
}

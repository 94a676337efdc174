package schema

import (
	"github.com/apache/arrow/go/v17/arrow/float16"

	"mmtools/pkg/stream"
)

// Half returns an IEEE 754 binary16 as float32, which holds every one exactly.
func Half(v float16.Num) float32 { return stream.Half(v.Uint16()) }

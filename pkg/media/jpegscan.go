package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// jpegFrame is what a JPEG file's markers say (ITU-T T.81, annex B).
type jpegFrame struct {
	height, width, components int
	scans                     int
}

// maxJPEGScans bounds the scans of a progressive file: each goes over all pixels, and a kilobyte can hold hundreds.
const maxJPEGScans = 100

// errTruncated is what PIL says of a file that ends before its image does.
var errTruncated = errors.New("the file is truncated: it ends before its image does")

// scanJPEG walks over the markers of a JPEG file to its end of image. A file without one is truncated: PIL refuses it, and libjpeg fills
// up what is missing with grey.
func scanJPEG(b []byte) (jpegFrame, error) {
	var f jpegFrame
	if !isJPEG(b) {
		return f, errors.New("no JPEG file: it does not begin with a start of image")
	}
	for at := 2; ; {
		marker, next := nextMarker(b, at)
		switch {
		case next < 0:
			return f, errTruncated
		case marker == 0xd9: // end of image
			return f, f.check()
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // without a length
			at = next
			continue
		}
		segment, err := jpegSegment(b, next)
		if err != nil {
			return f, err
		}
		at = next + 2 + len(segment)
		switch {
		case marker == 0xda: // start of scan; its data follow
			if f.scans++; f.scans > maxJPEGScans {
				return f, fmt.Errorf("more than %d scans", maxJPEGScans)
			}
			if err := f.check(); err != nil {
				return f, err
			}
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc: // start of frame
			if f.height != 0 {
				return f, fmt.Errorf("byte %d: a second start of frame", next)
			}
			if err := f.read(segment); err != nil {
				return f, err
			}
		}
	}
}

func isJPEG(b []byte) bool { return len(b) >= 2 && b[0] == 0xff && b[1] == 0xd8 }

// nextMarker returns the first marker from at on and where it ends, -1 where there is none. The data of a scan are passed over: in
// them 0xff is followed by 0, or belongs to a restart marker.
func nextMarker(b []byte, at int) (marker byte, next int) {
	for {
		i := bytes.IndexByte(b[at:], 0xff)
		if i < 0 {
			return 0, -1
		}
		at += i + 1
		for at < len(b) && b[at] == 0xff { // fill bytes
			at++
		}
		if at == len(b) {
			return 0, -1
		}
		if b[at] != 0 {
			return b[at], at + 1
		}
	}
}

// jpegSegment returns the segment whose length stands at byte at.
func jpegSegment(b []byte, at int) ([]byte, error) {
	if len(b) < at+2 {
		return nil, errTruncated
	}
	length := int(binary.BigEndian.Uint16(b[at:]))
	if length < 2 {
		return nil, fmt.Errorf("byte %d: a segment of %d bytes", at, length)
	}
	if len(b) < at+length {
		return nil, errTruncated
	}
	return b[at+2 : at+length], nil
}

// read takes the sizes from a start of frame.
func (f *jpegFrame) read(segment []byte) error {
	if len(segment) < 6 {
		return errors.New("a start of frame without sizes")
	}
	if bits := segment[0]; bits != 8 {
		return fmt.Errorf("%d bits a sample: want 8", bits)
	}
	f.height, f.width = int(binary.BigEndian.Uint16(segment[1:])), int(binary.BigEndian.Uint16(segment[3:]))
	f.components = int(segment[5])
	if f.components != 1 && f.components != 3 && f.components != 4 {
		return fmt.Errorf("%d components: want 1, 3 or 4", f.components)
	}
	return checkSize("jpeg", f.height, f.width)
}

// check returns an error where no start of frame has come.
func (f *jpegFrame) check() error {
	if f.height == 0 {
		return errors.New("no start of frame before the image")
	}
	return nil
}

package cli

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// screen is standard error as the logger and a progress bar share it: a log line first wipes the bar, which is drawn
// again below it. It takes whole lines.
type screen struct {
	mu       sync.Mutex
	file     io.Writer
	terminal bool
	width    func() int
	bar      string
	closed   bool // the process is ending: a run that was given up must not draw on
}

func newScreen(f *os.File) *screen {
	return &screen{file: f, terminal: isTerminal(f), width: func() int {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
		return 80
	}}
}

const wipe = "\r\x1b[K" // to the line's start, and clear it

// Write puts out one log line.
func (s *screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar == "" {
		return s.file.Write(line)
	}
	io.WriteString(s.file, wipe)
	n, err := s.file.Write(line)
	io.WriteString(s.file, s.bar)
	return n, err
}

// draw shows bar in place of the one before; it is cut to the terminal's width, since a bar that wraps cannot be wiped.
func (s *screen) draw(bar string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	runes := []rune(bar)
	if w := s.width() - 1; len(runes) > w {
		bar = string(runes[:max(w, 0)])
	}
	s.bar = bar
	io.WriteString(s.file, wipe+bar)
}

// close wipes the bar for good.
func (s *screen) close() {
	s.clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// clear wipes the bar.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != "" {
		s.bar = ""
		io.WriteString(s.file, wipe)
	}
}

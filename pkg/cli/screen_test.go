package cli

import (
	"bytes"
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	for _, c := range []struct {
		name     string
		n, total int64
		elapsed  time.Duration
		want     string
	}{
		{"nothing yet", 0, 100, 0, "[........................]   0%  0/100 samples  0/s"},
		{"a quarter in 5 s leaves 15 s", 2500, 10000, 5 * time.Second, "[######..................]  25%  2500/10000 samples  500/s  15s left"},
		{"whole", 10000, 10000, 5 * time.Second, "[########################] 100%  10000/10000 samples  2k/s"},
		{"more than promised", 120, 100, time.Second, "[########################] 100%  120/100 samples  120/s"},
		{"total unknown", 12345, 0, time.Second, "12345 samples  12.3k/s"},
	} {
		if got := bar(c.n, c.total, "samples", c.elapsed); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A log line must not be left behind the bar, nor the bar behind a log line.
func TestScreenSharesTheLine(t *testing.T) {
	var b bytes.Buffer
	s := &screen{file: &b, terminal: true, width: func() int { return 8 }}
	s.draw("0123456789")
	s.Write([]byte("line\n"))
	s.close()
	s.draw("late")
	if got, want := b.String(), wipe+"0123456"+wipe+"line\n0123456"+wipe; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressDraws(t *testing.T) {
	var b bytes.Buffer
	c := &Context{screen: &screen{file: &b, terminal: true, width: func() int { return 200 }}}
	p := c.Progress(10, "samples")
	p.Add(5)
	time.Sleep(250 * time.Millisecond)
	p.Done()
	p.Done()
	if !bytes.Contains(b.Bytes(), []byte("5/10 samples")) || !bytes.HasSuffix(b.Bytes(), []byte(wipe)) {
		t.Errorf("got %q, want a bar with 5/10 samples, wiped", b.String())
	}
	b.Reset()
	c.quiet = true
	p = c.Progress(10, "samples")
	time.Sleep(150 * time.Millisecond)
	p.Done()
	if b.Len() > 0 {
		t.Errorf("quiet: got %q, want nothing", b.String())
	}
}

package cli

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Progress shows how far a long run is, on a terminal: a bar, the rate and the time left. Elsewhere, and with --quiet, it
// does nothing.
type Progress struct {
	screen *screen // nil when nothing is shown
	unit   string
	total  int64
	n      atomic.Int64
	start  time.Time
	stop   chan struct{}
	once   sync.Once
	drawer sync.WaitGroup
}

// Progress starts a progress bar for total units, such as "samples"; 0 is for a total that nobody knows. End it with Done.
func (c *Context) Progress(total int64, unit string) *Progress {
	p := &Progress{unit: unit, total: total, start: time.Now(), stop: make(chan struct{})}
	if c.quiet || !c.screen.terminal {
		return p
	}
	p.screen = c.screen
	p.drawer.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.screen.draw(bar(p.n.Load(), p.total, p.unit, time.Since(p.start)))
			}
		}
	})
	return p
}

// Add counts n more units; any goroutine may.
func (p *Progress) Add(n int64) { p.n.Add(n) }

// Done ends the progress and wipes the bar. Later calls do nothing.
func (p *Progress) Done() {
	p.once.Do(func() {
		close(p.stop)
		p.drawer.Wait()
		if p.screen != nil {
			p.screen.clear()
		}
	})
}

const cells = 24

// bar renders n of total units after elapsed.
func bar(n, total int64, unit string, elapsed time.Duration) string {
	rate := float64(n) / max(elapsed.Seconds(), 1e-9)
	if total <= 0 {
		return fmt.Sprintf("%d %s  %s/s", n, unit, short(rate))
	}
	share := min(float64(n)/float64(total), 1)
	full := int(share * cells)
	line := fmt.Sprintf("[%s%s] %3.0f%%  %d/%d %s  %s/s", strings.Repeat("#", full), strings.Repeat(".", cells-full), 100*share, n, total, unit, short(rate))
	if n > 0 && n < total {
		left := time.Duration(float64(total-n) / rate * float64(time.Second))
		line += fmt.Sprintf("  %s left", left.Round(time.Second))
	}
	return line
}

// short writes a rate with three figures, as 12.3k.
func short(rate float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if rate >= u.size {
			return fmt.Sprintf("%.3g%s", rate/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.3g", rate)
}

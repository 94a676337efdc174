package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestCollectLater holds that only the first collection is put off, and none where GOGC says when.
func TestCollectLater(t *testing.T) {
	percent := func() int {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	collectLater()
	if now := percent(); now != 400 {
		t.Errorf("at first garbage is collected at %d percent, want 400", now)
	}
	for begun := time.Now(); percent() != 100; time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("after a collection garbage is collected at %d percent, want 100", percent())
		}
	}
	debug.SetGCPercent(50)
	if collectLater(); percent() != 50 {
		t.Errorf("a setting of the user's becomes %d percent, want 50", percent())
	}
}

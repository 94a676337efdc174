package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// Version is the version of every tool, set by the build: -ldflags "-X mmtools/pkg/cli.Version=0.1.0".
var Version = "dev"

// grace is how long an interrupted tool may take to return by itself. A read from a pipe that says nothing, or one
// long step of a network, cannot be cancelled; the outputs are then aborted and the process ends without it.
const grace = 2 * time.Second

// Main parses the command line into command, a pointer to a kong struct, runs its method Run(*Context) error, and
// returns the exit code, for os.Exit. The first sentence of description is the tool's summary; blank lines separate
// paragraphs, and indented lines are examples.
func Main(name, description string, command any) int {
	t := &tool{name: name, description: description, command: command, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	return t.main(os.Args[1:])
}

// collectLater lets the heap reach 16 MiB before garbage is first collected, not 4: a tool at work on little is done by then, and the
// first collection takes as long as it does. From then on it is as Go or GOGC has it.
func collectLater() {
	before := debug.SetGCPercent(400)
	if before != 100 {
		debug.SetGCPercent(before) // GOGC was set
		return
	}
	runtime.SetFinalizer(new([16]byte), func(any) { debug.SetGCPercent(before) })
}

type tool struct {
	name, description     string
	command               any
	stdin, stdout, stderr *os.File
}

func (t *tool) main(args []string) int {
	collectLater()
	parsed, done, err := t.parse(args)
	if done {
		return exitDone
	}
	if err != nil {
		report(t.stderr, t.name, err)
		return exitCode(err)
	}

	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup, and jobs that a script started with &, stay deaf
			signal.Notify(signals, s)
		}
	}
	c, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx := t.newContext(c, parsed.logging)
	ran := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the threads of OpenMP, which convolutions run on, belong to the thread that calls
		ran <- guarded(func() error { return parsed.run(ctx) })
	}()

	interrupted := false
	select {
	case err = <-ran:
	case <-signals:
		interrupted = true
		cancel()
		signal.Stop(signals) // a second Ctrl-C ends the process at once
		select {
		case err = <-ran:
		case <-time.After(grace):
			err = errInterrupted
		}
	}
	ctx.close()
	if err != nil && interrupted {
		err = errInterrupted
	}
	if err != nil {
		report(t.stderr, t.name, err)
	}
	return exitCode(err)
}

// guarded turns a panic, which is a mistake in the program, into an error, so that outputs are still aborted.
func guarded(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Hint(fmt.Errorf("internal error: %v\n%s", p, debug.Stack()), "this is a defect of the program: please report it with the command line")
		}
	}()
	return run()
}

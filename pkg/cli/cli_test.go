package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"mmtools/internal/exits"
	"mmtools/pkg/stream"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/rogpeppe/go-internal/testscript"
)

// probe is a tool whose flags make it behave as a tool may: testdata drives it as a process of its own.
type probe struct {
	Input  []string `placeholder:"FILE" help:"Streams to open. Each may be -."`
	Late   []string `placeholder:"FILE" help:"Streams to open once the output is there."`
	Stream bool     `help:"Write a stream of no rows."`
	Text   bool     `help:"Write text in place of a stream."`
	Write  int      `placeholder:"N" help:"Write N bytes (default: ${default})." default:"0"`
	Then   string   `enum:"done,fail,input,hint,usage,panic,hang,forget,log" default:"done" placeholder:"WHAT" help:"How to end (default: ${default})."`
	Log    bool     `help:"Log a line."`
	Output          // -o
	Seed
	Device
	Compression
	Logging
}

func (p *probe) Run(ctx *Context) error {
	for _, path := range p.Input {
		if _, err := ctx.OpenStream(path); err != nil {
			return fmt.Errorf("reading samples: %w", err)
		}
	}
	create := ctx.Create
	if p.Text {
		create = ctx.CreateText
	}
	out, err := create(p.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	for _, path := range p.Late {
		if _, err := ctx.OpenStream(path); err != nil {
			return fmt.Errorf("reading samples: %w", err)
		}
	}
	if p.Log {
		ctx.Log.Info().Uint64("seed", p.Seed.Seed).Str("device", p.Device.Device).Int("threads", p.Threads).Str("compression", p.Compression.Compression).Msg("probing")
	}
	if p.Stream {
		w, err := stream.NewWriter(out, arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil), p.Options()...)
		if err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	line := strings.Repeat("x", 63) + "\n"
	for n := 0; n < p.Write; n += len(line) {
		if _, err := io.WriteString(out, line); err != nil {
			return fmt.Errorf("writing product: %w", err)
		}
	}
	switch p.Then {
	case "fail":
		return fmt.Errorf("writing batch 7: out of luck")
	case "input":
		return stream.Errorf("reading stdin: batch 7: truncated")
	case "hint":
		return Hint(fmt.Errorf("loading model: no class names"), "train it with --classes")
	case "usage":
		return Usage("--write: got %d, want more", p.Write)
	case "panic":
		panic("shapes differ")
	case "forget":
		return nil
	case "hang":
		os.WriteFile("hanging", nil, 0o666)
		time.Sleep(time.Hour) // deaf to ctx, as a read from a silent pipe is
	}
	return out.Commit()
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mm-probe": func() {
			os.Exit(Main("mm-probe", "Behave as a tool may.\n\nThis is for the tests.\n\n    mm-probe --write 10 -o x\n", &probe{}))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"exits": exits.Command,
		"left":  left,
	}})
}

// left FILE... asserts that the work directory holds these files and no other, such as a forgotten temporary one.
func left(ts *testscript.TestScript, neg bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		if e.Name() != ".tmp" { // testscript's own
			got = append(got, e.Name())
		}
	}
	if strings.Join(got, " ") != strings.Join(args, " ") {
		ts.Fatalf("work directory holds %q, want %q", got, args)
	}
}

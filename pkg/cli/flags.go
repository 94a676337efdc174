package cli

import (
	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/stream"

	"github.com/alecthomas/kong"
)

// Output is -o, where the product goes.
type Output struct {
	Output string `short:"o" placeholder:"FILE" env:"-" help:"Write to FILE, through a temporary file beside it that replaces it on success (default: standard output; - writes to a terminal too)."`
}

// Seed is --seed, from which every random stream of a tool is derived.
type Seed struct {
	Seed uint64 `default:"0" placeholder:"N" env:"MM_SEED" help:"Seed of every random choice; the same seed gives the same bytes (default: ${default})."`
}

// Device is --device and --threads, where the numbers are computed.
type Device struct {
	Device  string `default:"auto" complete:"auto,cpu,cuda" placeholder:"NAME" env:"MM_DEVICE" help:"Compute on cpu, on cuda (the first NVIDIA GPU), on cuda:N or cuda:N,N,... (GPUs by number, from 0; several share each minibatch), on cuda:all, or with auto on the first GPU where there is one and else on the CPU (default: ${default})."`
	Threads int    `default:"0" placeholder:"N" env:"MM_THREADS" help:"Compute with N threads; 0 takes every core (default: ${default})."`

	Precision string `default:"float32" enum:"float32,tf32,bf16" placeholder:"TYPE" env:"MM_PRECISION" help:"Multiply in float32, in tf32 (cuda) or in bf16, which sum in float32; on the CPU bf16 is of linear layers and of convolutions, whose feature maps take half the memory (default: ${default})."`
}

// DeviceOptions returns what pkg/device opens the device by. Why auto takes no card is logged.
func (d Device) DeviceOptions(ctx *Context) device.Options {
	return device.Options{Name: d.Device, Threads: d.Threads, Precision: kernel.Precision(d.Precision),
		Note: func(why string) { ctx.Log.Info().Msg(why) }}
}

// Validate refuses what names no device, and a negative number of threads.
func (d Device) Validate() error {
	if err := device.Check(d.Device); err != nil {
		return Usage("--%w", err) // the error begins with the name of the flag
	}
	if d.Threads < 0 {
		return Usage("--threads: got %d, want 0 or more", d.Threads)
	}
	return nil
}

// Compression is --compression, how the buffers of an output stream are stored.
type Compression struct {
	Compression string `default:"none" enum:"none,zstd,lz4" placeholder:"NAME" env:"MM_COMPRESSION" help:"Compress the output stream with zstd or lz4, or not at all with none (default: ${default}). A compressed file is smaller and cannot be read without a copy."`
}

// Options returns what a stream's writer needs to compress as the flag says.
func (c Compression) Options() []stream.Option {
	if c.Compression == "" || c.Compression == "none" {
		return nil
	}
	return []stream.Option{stream.WithCompression(c.Compression)}
}

// Logging is what a tool says about itself. Embed it once: in the command, or in each of its subcommands.
type Logging struct {
	Quiet     bool             `env:"MM_QUIET" help:"Report warnings and errors only, and draw no progress bar."`
	LogFormat string           `default:"auto" enum:"auto,console,json" placeholder:"FORMAT" env:"MM_LOG_FORMAT" help:"Log as text for people (console) or as a JSON object a line (json); auto takes console on a terminal and json elsewhere (default: ${default})."`
	Version   kong.VersionFlag `env:"-" help:"Print name and version, and exit."`
}

// logging lets Main find the struct wherever a command embeds it.
func (l *Logging) logging() *Logging { return l }

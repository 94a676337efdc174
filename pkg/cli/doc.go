// Package cli is what every tool does the same way: flags, help, logger, signals, the rules of standard input and
// output, atomic outputs, progress and exit codes.
//
// A tool is a kong struct with a Run method, and a main that does nothing else:
//
//	type command struct {
//		Model string `required:"" placeholder:"FILE" help:"Model stream to read."`
//		File  string `arg:"" optional:"" help:"Samples stream (default: standard input)."`
//		cli.Output
//		cli.Logging
//	}
//
//	func (c *command) Run(ctx *cli.Context) error { ... }
//
//	func main() { os.Exit(cli.Main("mm-value", "Value every modality of every sample.", &command{})) }
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad input, 130 interrupted. A tool whose reader goes away
// dies of SIGPIPE like any other Unix tool; nothing here touches that signal.
//
// Every flag can also be set in the environment: a shared flag as MM_SEED, a tool's own flag with the tool's name, as
// MM_FIT_EPOCHS for --epochs of mm-fit. The command line wins.
package cli

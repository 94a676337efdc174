// Package exits gives the tools' test scripts a command that asserts an exit code. Only tests import it.
package exits

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is the script command
//
//	exits CODE SHELL-COMMAND
//
// which runs a bash command line, pipes failing as a whole, and asserts its exit code. What it wrote can be asserted with
// stdout and stderr after it.
func Command(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exits CODE COMMAND")
	}
	if err := ts.Exec("bash", "-c", "set -o pipefail\n"+args[1]+"\necho \"exit $?\" >&2"); err != nil {
		ts.Fatalf("running bash: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stderr")), "\n")
	if got := lines[len(lines)-1]; got != "exit "+args[0] {
		ts.Fatalf("%s: got %s, want exit %s", args[1], got, args[0])
	}
}

package clidoc

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"os"

	"github.com/alecthomas/kong"
)

// tool has what the real tools have: flags of every kind, subcommands, one of them the default.
type tool struct {
	Quiet    bool   `help:"Say nothing. Really."`
	Device   string `enum:"auto,cpu,cuda" default:"auto" placeholder:"NAME" env:"MM_DEVICE" help:"Compute on 'NAME': [auto], cpu or cuda."`
	Evaluate struct {
		Output  string   `short:"o" placeholder:"FILE" help:"Write to FILE."`
		Shuffle bool     `negatable:"" default:"true" help:"Shuffle the samples."`
		Secret  bool     `hidden:""`
		Files   []string `arg:"" optional:"" name:"file" help:"Streams to read."`
	} `cmd:"" default:"withargs" help:"Measure a model. It takes time."`
	Compare struct {
		Format string `enum:"table,json" default:"table" placeholder:"FORMAT" help:"Write a table or JSON."`
	} `cmd:"" help:"Compare results."`
}

func documentation(t *testing.T, format string) string {
	t.Helper()
	k, err := kong.New(&tool{}, kong.Name("mm-try"), kong.Description("Try a thing.\n\nIt is -1 \\ small.\nFor example:\n  mm-try --quiet\n\nThat is all."))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Write(&b, format, k.Model); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteKnowsItsFormats(t *testing.T) {
	k := kong.Must(&tool{})
	if err := Write(&strings.Builder{}, "html", k.Model); err == nil {
		t.Error("format html: got no error")
	}
	for _, format := range []string{"man", "bash", "zsh", "fish"} {
		if got := documentation(t, format); strings.Contains(got, "secret") || !strings.Contains(got, "compare") {
			t.Errorf("%s: want the subcommand and not the hidden flag:\n%s", format, got)
		}
	}
}

func TestMan(t *testing.T) {
	got := documentation(t, "man")
	for _, want := range []string{
		".SH NAME\nmm\\-try \\- try a thing\n",
		".B mm\\-try [evaluate]\n[\\fIoption\\fR ...] [<file> ...]\n",
		"It is \\-1 \\e small.\n",
		"For example:\n.PP\n.RS 4\n.EX\nmm\\-try \\-\\-quiet\n.EE\n.RE\n.PP\nThat is all.\n",
		"\\fB\\-o, \\-\\-output\\fR=\\fIFILE\\fR\nWrite to FILE.\n",
		"\\fB\\-\\-[no\\-]shuffle\\fR\n",
		".B MM_DEVICE\n\\-\\-device\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("page lacks %q:\n%s", want, got)
		}
	}
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("no man(1) here to render the page with")
	}
	page := filepath.Join(t.TempDir(), "mm-try.1")
	if err := os.WriteFile(page, []byte(got), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(man, "--warnings", "-l", page)
	cmd.Env = append(os.Environ(), "MANPAGER=cat", "MANWIDTH=80", "LC_ALL=C.UTF-8")
	var warnings strings.Builder
	cmd.Stderr = &warnings
	if out, err := cmd.Output(); err != nil || warnings.Len() > 0 || !strings.Contains(string(out), "--device=NAME") {
		t.Errorf("rendering: %v\n%s\n%s", err, warnings.String(), out)
	}
}

// TestBash asks bash itself for the completions of command lines.
func TestBash(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here to complete with")
	}
	script := documentation(t, "bash")
	for _, c := range []struct {
		name  string
		words []string // the last is being completed
		want  []string
	}{
		{"subcommands", []string{"mm-try", ""}, []string{"compare", "evaluate"}},
		{"flags of the default command too", []string{"mm-try", "--o"}, []string{"--output"}},
		{"only the subcommand's flags", []string{"mm-try", "compare", "--f"}, []string{"--format"}},
		{"not the other subcommand's", []string{"mm-try", "compare", "--o"}, nil},
		{"values", []string{"mm-try", "--device", "c"}, []string{"cpu", "cuda"}},
		{"values of a subcommand's flag", []string{"mm-try", "compare", "--format", ""}, []string{"json", "table"}},
		{"values after =", []string{"mm-try", "--device", "=", "cu"}, []string{"cuda"}},
		{"values right after =", []string{"mm-try", "--device", "="}, []string{"auto", "cpu", "cuda"}},
		{"a negation", []string{"mm-try", "evaluate", "--no"}, []string{"--no-shuffle"}},
		{"files are bash's own", []string{"mm-try", "evaluate", "x"}, nil},
	} {
		cmd := exec.Command(shell, "-c", script+`
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_mm_try
printf '%s\n' "${COMPREPLY[@]}" | sort`, "bash")
		cmd.Args = append(cmd.Args, c.words...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, out)
		}
		if got := strings.Fields(string(out)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q completes to %q, want %q", c.name, c.words, got, c.want)
		}
	}
}

// TestParses has each shell read its script; one that is not installed is skipped.
func TestParses(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("no %s here", shell)
			}
			file := filepath.Join(t.TempDir(), "completion")
			if err := os.WriteFile(file, []byte(documentation(t, shell)), 0o666); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

//go:build mmcuda && cgo && linux

package cuda

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	translator "mmtools/internal/ptx"
	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
	"mmtools/pkg/network"
	"mmtools/pkg/network/networktest"
)

// profileEnvironment has TestProfile run: it takes minutes, and holds nothing. "table" prints a line for each kernel and number of blocks,
// "accesses" one more for each access that moves more than it needs.
const profileEnvironment = "MM_TEST_PROFILE"

// access is an instruction that touches memory, over a kernel's launches on as many blocks.
type access struct {
	line, size            int
	space                 string
	writes                int
	requests, cost, least float64
}

// profiled is a kernel on so many blocks.
type profiled struct {
	name             string
	launches, blocks int
	threads          int                // of a block
	counts           map[string]float64 // by the class of instructions, for all blocks
	accesses         map[int]*access
}

// ratio is how many times more is moved than is needed, by all accesses to that memory.
func (p *profiled) ratio(space string) float64 {
	var cost, least float64
	for _, a := range p.accesses {
		if a.space == space {
			cost, least = cost+a.cost, least+a.least
		}
	}
	if least == 0 {
		return 1
	}
	return cost / least
}

// readProfile adds up what ../emulate/profile.cc wrote.
func readProfile(t *testing.T, path string) (all []*profiled) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*profiled{}
	var p *profiled
	share := 1.0
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		words := strings.Fields(line)
		if words[0] == "launch" {
			var ran, blocks int
			fmt.Sscan(words[3], &ran)
			fmt.Sscan(words[5], &blocks)
			key := words[1] + " " + words[5]
			if p = found[key]; p == nil {
				p = &profiled{name: words[1], blocks: blocks, counts: map[string]float64{}, accesses: map[int]*access{}}
				fmt.Sscan(words[7], &p.threads)
				found[key] = p
				all = append(all, p)
			}
			p.launches++
			share = float64(blocks) / float64(ran)
			for i := 8; i+1 < len(words); i += 2 {
				var n float64
				fmt.Sscan(words[i+1], &n)
				p.counts[words[i]] += n * share
			}
			continue
		}
		var a access
		if _, err := fmt.Sscanf(line, "access line %d space %s writes %d size %d requests %f cost %f least %f", &a.line, &a.space, &a.writes, &a.size, &a.requests, &a.cost, &a.least); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		sum := p.accesses[a.line]
		if sum == nil {
			sum = &access{line: a.line, space: a.space, writes: a.writes, size: a.size}
			p.accesses[a.line] = sum
		}
		sum.requests, sum.cost, sum.least = sum.requests+a.requests*share, sum.cost+a.cost*share, sum.least+a.least*share
	}
	return all
}

// What the PTX does in training steps and valuation of the networks that speed is measured on, in a few blocks of each launch: the results
// are no numbers, but no kernel's way depends on them.
func TestProfile(t *testing.T) {
	how := os.Getenv(profileEnvironment)
	if how == "" || emulated == "" {
		t.Skip("it is for people, and takes minutes: " + profileEnvironment + "=table")
	}
	dir := t.TempDir()
	if err := translator.Folder("ptx/sm_80", dir); err != nil {
		t.Fatal(err)
	}
	library, path := filepath.Join(dir, "libcuda.so.1"), filepath.Join(dir, "profile")
	build := exec.Command("emulate/build", library, "-DMM_COUNTS")
	build.Env = append(os.Environ(), "MM_PTX="+dir)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the emulated driver: %v\n%s", err, out)
	}
	again := exec.Command(os.Args[0], "-test.v", "-test.run", "^TestProfiled$")
	again.Env = append(os.Environ(), driver.Environment+"="+library, "MM_EMULATED_PROFILE="+path, "MM_EMULATED_BLOCKS=6", "MM_EMULATED_MEMORY=8589934592")
	text, err := again.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	all := readProfile(t, path)
	slices.SortStableFunc(all, func(a, b *profiled) int {
		return cmp.Compare(max(b.ratio("global"), b.ratio("shared")), max(a.ratio("global"), a.ratio("shared")))
	})
	fmt.Printf("%-34s %8s %4s %7s %7s | %s\n", "kernel", "blocks", "runs", "sectors", "fronts", "instructions of a thread: fma float32 float64 tensor convert integer multiply64 divide divide64 | global ld st, shared ld st | shuffle barrier branch")
	for _, p := range all {
		fmt.Printf("%-34s %8d %4d %7.2f %7.2f |", p.name, p.blocks, p.launches, p.ratio("global"), p.ratio("shared"))
		threads := float64(p.launches * p.blocks * p.threads)
		for _, class := range strings.Fields("fma float32 float64 tensor convert integer multiply64 divide divide64 | load_global store_global load_shared store_shared | shuffle barrier branch") {
			if class == "|" {
				fmt.Print(" |")
				continue
			}
			fmt.Printf(" %.4g", p.counts[class]/threads)
		}
		fmt.Println()
		lines := make([]int, 0, len(p.accesses))
		for line, a := range p.accesses {
			if how == "accesses" && a.cost > 1.05*a.least {
				lines = append(lines, line)
			}
		}
		slices.Sort(lines)
		for _, line := range lines {
			a := p.accesses[line]
			fmt.Printf("    line %5d: %s %s of %2d bytes, %8.3g requests: %.2f each, %.2f would do\n", line, a.space, []string{"load", "store"}[a.writes], a.size, a.requests, a.cost/a.requests, a.least/a.requests)
		}
	}
}

// TestProfiled is run by TestProfile.
func TestProfiled(t *testing.T) {
	if os.Getenv("MM_EMULATED_PROFILE") == "" {
		t.Skip("nothing is counted")
	}
	library := os.Getenv(driver.Environment)
	fused := func(fusion string) network.Spec {
		spec := networktest.LateFusion("mlp:512", 512)
		spec.Fusion = fusion
		return spec
	}
	resnet := func(size int) network.Spec {
		return networktest.AudioVisual("resnet18", []int{1, size, size}, []int{3, size, size})
	}
	tests := []struct {
		spec      network.Spec
		rows      int
		optimizer string
		precision kernel.Precision
		libraries string
	}{
		{fused("concat"), 64, "adam", kernel.Float32, "none"},
		{fused("concat"), 1024, "adam", kernel.Float32, "none"},
		{fused("concat"), 1024, "sgd", kernel.BF16, "none"},
		{fused("concat"), 1024, "sgd", kernel.TF32, "none"},
		{fused("concat"), 1024, "sgd", kernel.Float32, library},
		{fused("sum"), 1024, "sgd", kernel.Float32, "none"},
		{fused("film"), 64, "sgd", kernel.Float32, "none"},
		{fused("gated:256"), 64, "sgd", kernel.Float32, "none"},
		{fused("attention:8:256"), 64, "sgd", kernel.Float32, "none"},
		{resnet(224), 2, "sgd", kernel.Float32, "none"},
		{resnet(96), 2, "sgd", kernel.TF32, "none"},
		{resnet(96), 2, "sgd", kernel.BF16, "none"},
		{resnet(96), 2, "sgd", kernel.TF32, library},
		{resnet(96), 2, "sgd", kernel.BF16, library},
	}
	for _, test := range tests {
		data, err := networktest.Noise(test.spec, test.rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, environment := range []string{blasEnvironment, ltEnvironment, dnnEnvironment} {
			t.Setenv(environment, test.libraries)
		}
		d, err := New(Options{Precision: test.precision})
		if err != nil {
			t.Fatal(err)
		}
		state := settings(test.optimizer)
		state.BatchSize = test.rows
		c, _, _, err := fit(t, d, nil, test.spec, state, data, 1)
		t.Logf("%s, %d rows, %s: %v", test.spec.Fusion, test.rows, test.precision, err) // its loss is no number
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(test.spec.Modalities[0].Backbone, "resnet") {
			continue // the same kernels, and not finite
		}
		if d, err = New(Options{Precision: test.precision}); err != nil {
			t.Fatal(err)
		}
		contributions(t, d, test.spec, c, data)
		d.Close()
	}
}

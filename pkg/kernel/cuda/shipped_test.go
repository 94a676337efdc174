//go:build mmcuda && cgo && linux

package cuda

import (
	"bytes"
	"encoding/gob"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	translator "mmtools/internal/ptx"
	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
	"mmtools/pkg/schema"
)

// modelsEnvironment names a file of what TestShippedPTX trained on the kernels' sources.
const modelsEnvironment = "MM_TEST_MODELS"

// trainOwn trains a small model of each kind by the kernels of this package, in float32 and on tensor cores.
func trainOwn(t *testing.T) (models [][]schema.Tensor) {
	t.Helper()
	for _, c := range []trained{{"concat", "cnn:3,16", "sgd"}, {"attention:2:8", "linear:8", "adamw"}, {"film", "mlp:8", "adam"}} {
		for _, precision := range []kernel.Precision{kernel.Float32, kernel.TF32, kernel.BF16} {
			spec, state := model(c.fusion, c.backbone), settings(c.optimizer)
			got, _, _, err := fit(t, open(t, Options{Precision: precision}, false), nil, spec, state, samples(t, spec, 21), 2)
			if err != nil {
				t.Fatal(err)
			}
			models = append(models, got.Tensors)
		}
	}
	return models
}

// Whole runs on the PTX that is shipped: the tests that own kernels pass, and the models are those of the kernels' sources, to the bit.
func TestShippedPTX(t *testing.T) {
	switch {
	case emulated == "":
		t.Skip("a card runs it in all tests, and without g++ nothing does")
	case testing.Short():
		t.Skip("compiling the kernels once more takes twice as long")
	}
	dir := t.TempDir()
	if err := translator.Folder("ptx/sm_80", dir); err != nil {
		t.Fatal(err)
	}
	library, models := filepath.Join(dir, "libcuda.so.1"), filepath.Join(dir, "models")
	build := exec.Command("emulate/build", library)
	build.Env = append(os.Environ(), "MM_PTX="+dir)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the emulated driver: %v\n%s", err, out)
	}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(trainOwn(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(models, encoded.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again := exec.Command(os.Args[0], "-test.v", "-test.run",
		"^(TestModelsOfSources|TestValuationEqualsCPU|TestGoingOnElsewhere|TestRecording|TestKernelsLoad)$/libraries=false")
	again.Env = append(os.Environ(), driver.Environment+"="+library, ownEnvironment+"=1", modelsEnvironment+"="+models)
	text, err := again.CombinedOutput()
	if err != nil || strings.Count(string(text), "\n--- PASS: ") != 5 {
		t.Fatalf("%v\n%s", err, text)
	}
}

// TestModelsOfSources is run by TestShippedPTX.
func TestModelsOfSources(t *testing.T) {
	path := os.Getenv(modelsEnvironment)
	if path == "" {
		t.Skip("no models to compare with")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]schema.Tensor
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&want); err != nil {
		t.Fatal(err)
	}
	for i, got := range trainOwn(t) {
		holdBits(t, &checkpoint.Checkpoint{Tensors: got}, &checkpoint.Checkpoint{Tensors: want[i]})
	}
}

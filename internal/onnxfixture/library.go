package onnxfixture

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Library returns the ONNX Runtime to test with: what MM_ONNXRUNTIME names, else what scripts/onnxruntime fetched. A test without one
// is skipped.
func Library(t testing.TB) string {
	t.Helper()
	path := Find()
	if path == "" {
		t.Skip("no ONNX Runtime to test with: run scripts/onnxruntime, or set MM_ONNXRUNTIME")
	}
	return path
}

// Find returns the library's path, "" where there is none.
func Find() string {
	if path := os.Getenv("MM_ONNXRUNTIME"); path != "" {
		return path
	}
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return ""
	}
	versions, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../../build/onnxruntime/*.*"))
	if err != nil || len(versions) == 0 {
		return ""
	}
	return versions[len(versions)-1]
}

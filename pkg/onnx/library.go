package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// LibraryVariable is the environment variable that names ONNX Runtime's file, or a folder that holds it.
const LibraryVariable = "MM_ONNXRUNTIME"

// ErrLibrary says that ONNX Runtime could not be opened. Such an error has a method Hint() string, which says how to get it.
var ErrLibrary = errors.New("ONNX Runtime cannot be opened")

type libraryError struct {
	cause string
	hint  string
}

func (e libraryError) Error() string        { return ErrLibrary.Error() + ": " + e.cause }
func (e libraryError) Is(target error) bool { return target == ErrLibrary }

// Hint says what the user can do.
func (e libraryError) Hint() string { return e.hint }

const howToGet = "point " + LibraryVariable + " at its shared library (release 1.24 or later), or at a folder that holds it, such as " +
	"node_modules/onnxruntime-node after `npm install --ignore-scripts onnxruntime-node` (the file is " +
	"bin/napi-v6/linux/x64/libonnxruntime.so.1 in it), or onnxruntime/capi in Python's site-packages after `pip install onnxruntime`"

// libraryNames are the names under which the loader knows the library.
func libraryNames() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"libonnxruntime.dylib", "libonnxruntime.1.dylib"}
	case "windows":
		return []string{"onnxruntime.dll"}
	}
	return []string{"libonnxruntime.so.1", "libonnxruntime.so"}
}

// Library returns where ONNX Runtime is looked for, in order: the named file; or in the named folder, in the layouts of ONNX Runtime's
// own releases, of the npm package onnxruntime-node and of the Python package; or, with no name, what LibraryVariable names, or what the
// system's loader finds under the usual names.
func Library(named string) ([]string, error) {
	from := "the option"
	if named == "" {
		named, from = os.Getenv(LibraryVariable), LibraryVariable
	}
	if named == "" {
		return libraryNames(), nil
	}
	info, err := os.Stat(named)
	if err != nil {
		return nil, libraryError{fmt.Sprintf("%s: %v", from, err), howToGet}
	}
	if !info.IsDir() {
		return []string{named}, nil
	}
	machine := map[string]string{"amd64": "x64", "386": "ia32"}[runtime.GOARCH]
	if machine == "" {
		machine = runtime.GOARCH
	}
	var found []string
	for _, folder := range []string{".", "lib", filepath.Join("bin", "napi-v*", node(runtime.GOOS), machine), "capi"} {
		for _, name := range append(libraryNames(), "libonnxruntime.so.*", "libonnxruntime.*.dylib") {
			matches, err := filepath.Glob(filepath.Join(escape(named), folder, name))
			if err != nil {
				return nil, err
			}
			found = append(found, matches...)
		}
	}
	if len(found) == 0 {
		return nil, libraryError{fmt.Sprintf("%s: no %s in %s", from, libraryNames()[0], named), howToGet}
	}
	return slices.Compact(found), nil
}

func node(system string) string {
	if system == "windows" {
		return "win32"
	}
	return system
}

// escape takes the meaning from what filepath.Glob would read as a pattern.
func escape(path string) string {
	if runtime.GOOS == "windows" {
		return path
	}
	var out []rune
	for _, r := range path {
		if slices.Contains([]rune(`*?[\`), r) {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

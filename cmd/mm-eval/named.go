package main

import (
	"path/filepath"
	"strings"

	"mmtools/pkg/cli"
)

// named is a file under the name that tables and figures give it.
type named struct{ name, path string }

// parseNamed reads [NAME=]FILE; the name of a file without one is its own, less folder and ending.
func parseNamed(args []string) ([]named, error) {
	var files []named
	for _, arg := range args {
		name, path, ok := strings.Cut(arg, "=")
		if !ok || strings.ContainsRune(name, filepath.Separator) { // a folder's name may hold "="
			path = arg
			base := filepath.Base(arg)
			name = strings.TrimSuffix(base, filepath.Ext(base))
			if arg == "-" {
				name = "stdin"
			}
		}
		if name == "" || path == "" {
			return nil, cli.Usage("%q: want NAME=FILE or FILE", arg)
		}
		files = append(files, named{name, path})
	}
	return files, nil
}

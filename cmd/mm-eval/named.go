package main

import (
	"os"
	"path/filepath"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/report"
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

// writeFigure draws f into the file, whose ending says how.
func writeFigure(ctx *cli.Context, path string, f *report.Figure) error {
	format, err := report.FormatOf(path)
	if err != nil {
		return cli.Usage("%w", err)
	}
	out, err := ctx.Create(path)
	if err != nil {
		return err
	}
	defer out.Abort()
	if err := f.Write(out, format); err != nil {
		return err
	}
	return out.Commit()
}

// writeFigures draws the figures into the folder, which is made where it is missing, as NAME.svg.
func writeFigures(ctx *cli.Context, folder string, names []string, figures []*report.Figure) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for i, f := range figures {
		if err := writeFigure(ctx, filepath.Join(folder, names[i]+".svg"), f); err != nil {
			return err
		}
	}
	return nil
}

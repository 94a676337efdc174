package ptx

import (
	"fmt"
	"os"
	"path/filepath"
)

// Folder translates each file of PTX in one folder to a unit in another, for MM_PTX of pkg/kernel/cuda/emulate/build.
func Folder(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.ptx"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("translating %s: no PTX in it", from)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		unit, err := Translate(f, string(text))
		if err != nil {
			return fmt.Errorf("translating %w", err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(f)+".cc"), []byte(unit), 0o600); err != nil {
			return err
		}
	}
	return nil
}

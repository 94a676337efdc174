package encode

import (
	"bytes"
	"os"
	"strings"
	"unicode/utf8"

	"mmtools/pkg/stream"
)

// readLines reads a text file whole and returns its lines, without their ends ("\n" or "\r\n"), and its bytes. The last
// line may end or not.
func readLines(file string) ([]string, []byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	if !utf8.Valid(text) {
		return nil, nil, stream.Errorf("%s: not UTF-8 text", file)
	}
	var lines []string
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte(byteOrderMark))) {
		lines = append(lines, strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"))
	}
	return lines, text, nil
}

// ReadClasses reads a class name a line.
func ReadClasses(file string) ([]string, error) {
	lines, _, err := readLines(file)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, stream.Errorf("%s: no class", file)
	}
	if _, err := classIndex(lines); err != nil {
		return nil, stream.Errorf("%s: %w", file, err)
	}
	return lines, nil
}

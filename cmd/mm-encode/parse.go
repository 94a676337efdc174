package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/modality"
)

// cutName splits NAME=VALUE, neither empty.
func cutName(text string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(text, "=")
	return name, value, ok && name != "" && value != ""
}

// shapeSuffix is a shape after a file's name; a file whose own name ends so is given with its shape.
var shapeSuffix = regexp.MustCompile(`^(.+):([0-9]+(?:x[0-9]+)*)$`)

// parseFile reads NAME=FILE[:SHAPE] or NAME=FILE[:KEY=VALUE,...].
func parseFile(text string) (encode.FeatureSpec, error) {
	name, file, ok := cutName(text)
	if !ok {
		return encode.FeatureSpec{}, cli.Usage("--modality %s: want NAME=FILE, NAME=FILE:SHAPE or NAME=FILE:KEY=VALUE,...", text)
	}
	if err := modality.CheckName(name); err != nil {
		return encode.FeatureSpec{}, cli.Usage("--modality %s: %w", text, err)
	}
	parts := shapeSuffix.FindStringSubmatch(file)
	if parts == nil {
		spec, err := encode.FileKind.ParseSpec(text, nil)
		if err != nil {
			return encode.FeatureSpec{}, cli.Usage("--modality %s: %w", text, err)
		}
		return spec.(encode.FeatureSpec), nil
	}
	m := encode.FeatureSpec{Name: name, Kind: modality.Embedding, File: parts[1]}
	for _, d := range strings.Split(parts[2], "x") {
		n, err := strconv.Atoi(d)
		if err != nil || n < 1 {
			return m, cli.Usage("--modality %s: %s in the shape: want a number from 1", text, d)
		}
		m.Shape = append(m.Shape, n)
	}
	return m, nil
}

// parseClasses reads --classes: names with commas between them, or the file that holds them; nil for "".
func parseClasses(text string) ([]string, error) {
	switch {
	case text == "":
		return nil, nil
	case strings.Contains(text, ","):
		return strings.Split(text, ","), nil
	}
	return encode.ReadClasses(text)
}

// addCondition adds one --where COL=VALUE; VALUE may be empty.
func addCondition(conditions []encode.Condition, text string) ([]encode.Condition, error) {
	column, value, ok := strings.Cut(text, "=")
	if !ok || column == "" {
		return nil, cli.Usage("--where %s: want COL=VALUE", text)
	}
	i := slices.IndexFunc(conditions, func(c encode.Condition) bool { return c.Column == column })
	if i < 0 {
		return append(conditions, encode.Condition{Column: column, Values: []string{value}}), nil
	}
	conditions[i].Values = append(conditions[i].Values, value)
	return conditions, nil
}

// sortedKeys returns the keys of a set in byte order.
func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

package main

import (
	"strconv"
	"strings"

	"mmtools/pkg/cli"
)

// parseShard reads I/N; 1/1 for "".
func parseShard(text string) (i, n int, err error) {
	if text == "" {
		return 1, 1, nil
	}
	first, second, ok := strings.Cut(text, "/")
	i, errI := strconv.Atoi(first)
	n, errN := strconv.Atoi(second)
	if !ok || errI != nil || errN != nil || n < 1 || i < 1 || i > n {
		return 0, 0, cli.Usage("--shard %s: want I/N with 1 <= I <= N", text)
	}
	return i, n, nil
}

// part returns the rows of the shard: from, and up to but without to. Shards differ by one row at most.
func (p product) part(rows int) (from, to int) {
	i, n, _ := parseShard(p.Shard) // Validate looked at it
	bound := func(k int) int { return int(int64(rows) * int64(k) / int64(n)) }
	return bound(i - 1), bound(i)
}

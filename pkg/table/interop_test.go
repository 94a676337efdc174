package table

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// written is what row i of every table in testdata holds; scripts/reference/tables.mjs wrote them with DuckDB, Polars and Apache
// Arrow's JavaScript library.
func written(i int) map[string]any {
	row := map[string]any{
		"id":     fmt.Sprintf("clip-%d", i),
		"class":  []string{"bowling", "singing", "lawn mowing"}[i%3],
		"start":  strconv.FormatFloat(float64(i)/4, 'g', -1, 64),
		"frames": strconv.Itoa(1<<53 + 2*i),
	}
	if i%7 == 3 {
		row["start"] = nil
	}
	if i%11 != 5 {
		row["v"] = []float32{float32(i), float32(i) / 2, float32(-i), float32(i) / 8}
	}
	row["fixed"] = row["v"]
	return row
}

const writtenRows = 150

// readAll reads every cell as text or as numbers.
func readAll(path string) error { return readSome(path, math.MaxInt) }

// readSome reads so many rows.
func readSome(path string, rows int) error {
	r, err := Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	for range rows {
		if err := r.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for c, name := range r.Columns() {
			if name == "v" || name == "fixed" {
				_, _, err = r.Numbers(c, nil)
			} else {
				_, _, err = r.Text(c)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func TestTablesOfOtherWriters(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.*")
	if err != nil || len(paths) < 12 {
		t.Fatalf("%d tables, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if got := r.Columns(); len(got) < 5 {
				t.Fatalf("columns %v", got)
			}
			n := 0
			for ; ; n++ {
				err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				compareRow(t, r, written(n))
			}
			if n != writtenRows {
				t.Errorf("%d rows, want %d", n, writtenRows)
			}
		})
	}
}

func compareRow(t *testing.T, r Reader, want map[string]any) {
	t.Helper()
	for c, name := range r.Columns() {
		switch name {
		case "v", "fixed":
			vector, _ := want[name].([]float32)
			got, ok, err := r.Numbers(c, nil)
			if err != nil || ok != (vector != nil) || !slices.Equal(got, vector) {
				t.Fatalf("%s: %s: got %v, %v, %v, want %v", r.Place(), name, got, ok, err, vector)
			}
		default:
			got, ok, err := r.Text(c)
			if err != nil || ok != (want[name] != nil) || ok && got != want[name] {
				t.Fatalf("%s: %s: got %q, %v, %v, want %v", r.Place(), name, got, ok, err, want[name])
			}
		}
	}
}

// Features come out of every one of them, joined by id, nulls absent.
func TestFeaturesOfOtherWriters(t *testing.T) {
	for _, file := range []string{"duckdb-snappy.parquet", "polars.parquet", "arrowjs.arrow", "polars-lz4.feather"} {
		f, err := OpenFeatures(Source{Path: "testdata/" + file, Values: "v"})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if f.Rows() != writtenRows || !slices.Equal(f.Shape(), []int{4}) {
			t.Errorf("%s: %d rows of %v", file, f.Rows(), f.Shape())
		}
		got := make([]float32, 4)
		for i, id := range f.IDs() {
			want := written(i)
			vector, there := want["v"].([]float32)
			if id != want["id"] || f.Present(i) != there {
				t.Fatalf("%s: row %d is %s, there %t", file, i, id, f.Present(i))
			}
			if err := f.Read(i, got); err != nil || there && !slices.Equal(got, vector) || !there && got[0] != 0 {
				t.Fatalf("%s: row %d: got %v, %v, want %v", file, i, got, err, vector)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

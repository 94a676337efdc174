package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// pieces are what the tests write: a schema of 16 bytes, as a message begins, then numbered pieces of growing length.
func pieces() [][]byte {
	head := append(binary.LittleEndian.AppendUint32(nil, 0xffffffff), 8, 0, 0, 0)
	all := [][]byte{append(head, "abcdefgh"...)}
	for i := range 6 {
		all = append(all, bytes.Repeat([]byte(strconv.Itoa(i)), 10+i))
	}
	return all
}

// writeFrom writes the schema and pieces first to last-1 (from 1), a mark after each, and the end where last is past them.
func writeFrom(p *Partial, first, last int) error {
	all := pieces()
	if _, err := p.Write(all[0]); err != nil {
		return err
	}
	for i := first; i < last; i++ {
		if _, err := p.Write(all[i]); err != nil {
			return err
		}
		if err := p.Mark(i); err != nil {
			return err
		}
	}
	return nil
}

// Whatever a killed run left of the two files, in any order of what reached them, the next one ends with the same bytes.
func TestPartialResumes(t *testing.T) {
	want := bytes.Join(pieces(), nil)
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		target := filepath.Join(dir, "out")
		for range rapid.IntRange(0, 3).Draw(rt, "kills") {
			p, err := OpenPartial(target, "k")
			if err != nil {
				rt.Fatal(err)
			}
			next := len(p.Notes()) + 1
			if err := writeFrom(p, next, rapid.IntRange(next, 7).Draw(rt, "until")); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "half a piece") {
				p.Write([]byte("half"))
			}
			if err := p.Close(); err != nil {
				rt.Fatal(err)
			}
			for _, name := range []string{target + ".partial", target + ".partial.journal"} {
				info, err := os.Stat(name)
				if err != nil {
					rt.Fatal(err)
				}
				cut := rapid.Int64Range(0, info.Size()).Draw(rt, "cut")
				if rapid.Bool().Draw(rt, "is cut") {
					if err := os.Truncate(name, cut); err != nil {
						rt.Fatal(err)
					}
				}
			}
		}
		p, err := OpenPartial(target, "k")
		if err != nil {
			rt.Fatal(err)
		}
		for i, note := range p.Notes() {
			if string(note) != strconv.Itoa(i+1) {
				rt.Fatalf("note %d is %s", i, note)
			}
		}
		if err := writeFrom(p, len(p.Notes())+1, 7); err != nil {
			rt.Fatal(err)
		}
		if err := p.Commit(); err != nil {
			rt.Fatal(err)
		}
		got, err := os.ReadFile(target)
		if err != nil || !bytes.Equal(got, want) {
			rt.Fatalf("got %q, %v, want %q", got, err, want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
			rt.Fatalf("left %v", left)
		}
	})
}

func TestPartialRefuses(t *testing.T) {
	target := filepath.Join(t.TempDir(), "out")
	p, err := OpenPartial(target, "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPartial(target, "k"); !errors.Is(err, ErrPartialLocked) {
		t.Errorf("a second writer: got %v", err)
	}
	if err := writeFrom(p, 1, 3); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPartial(target, "other"); !errors.Is(err, ErrOtherRun) {
		t.Errorf("another key: got %v", err)
	}
	if p, err = OpenPartial(target, "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(bytes.Repeat([]byte("x"), 16)); !errors.Is(err, ErrOtherRun) {
		t.Errorf("another schema: got %v", err)
	}
	p.Close()
	// A piece whose bytes changed is not believed, nor what follows it.
	data, err := os.ReadFile(target + ".partial")
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(target+".partial", data, 0o666); err != nil {
		t.Fatal(err)
	}
	if p, err = OpenPartial(target, "k"); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := p.Notes(); len(got) != 1 || string(got[0]) != "1" {
		t.Errorf("notes %s: want the first alone", got)
	}
	if _, err := OpenPartial("/dev/null", "k"); err == nil {
		t.Error("a device was taken")
	}
}

// FuzzPartial: whatever lies in a partial file and its journal, what is kept is whole pieces with their sums, and what is written then
// comes after them.
func FuzzPartial(f *testing.F) {
	dir := f.TempDir()
	target := filepath.Join(dir, "seed")
	p, err := OpenPartial(target, "k")
	if err != nil {
		f.Fatal(err)
	}
	stream := small(f)
	for at, part := range [][]byte{stream[:600], stream[600:]} {
		if _, err := p.Write(part); err != nil {
			f.Fatal(err)
		}
		if err := p.Mark(at); err != nil {
			f.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		f.Fatal(err)
	}
	journal, err := os.ReadFile(target + ".partial.journal")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stream, journal)
	f.Add(stream[:500], journal)
	f.Add(stream[:3], []byte("{\"key\":\"k\"}\n{\"end\":3,\"crc32c\":0,\"note\":1}\n"))
	f.Add([]byte("abc"), []byte("{\"key\":\"k\"}\n{\"end\":9223372036854775807,\"crc32c\":1}\n"))
	f.Add([]byte("abc"), []byte("{\"key\":\"k\"}\n{\"end\":-4}\n{\"end\":0}\n"))
	f.Fuzz(func(t *testing.T, data, journal []byte) {
		target := filepath.Join(dir, "fuzz")
		for name, b := range map[string][]byte{".partial": data, ".partial.journal": journal} {
			if err := os.WriteFile(target+name, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		p, err := OpenPartial(target, "k")
		if err != nil {
			return
		}
		defer p.Close()
		size := p.Size()
		if size > int64(len(data)) || (size == 0) != (len(p.head) == 0) {
			t.Fatalf("%d bytes of %d kept, %d of them the schema", size, len(data), len(p.head))
		}
		if _, err := p.Write(append(bytes.Clone(p.head), "more"...)); err != nil || p.Size() != size+4 {
			t.Fatalf("%d bytes after %d and 4, %v", p.Size(), size, err)
		}
		if got, err := os.ReadFile(target + ".partial"); err != nil || string(got) != string(data[:size])+"more" {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

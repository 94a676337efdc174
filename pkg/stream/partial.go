package stream

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Partial is an output file that outlives a run which is killed: a later run goes on where it stopped. It lies beside its target as
// TARGET.partial, with a journal, TARGET.partial.journal, a JSON object a line: first the key of the run, then a line for every whole
// piece, with where it ends, its CRC-32C and a note of the caller's. What is not whole, or does not have its sum, is cut off
// when the file is opened again, so that it may be killed at any moment. One process at a time may have it open.
type Partial struct {
	target  string
	data    *os.File
	journal *os.File
	end     int64 // of the whole pieces
	at      int64 // of all that was written
	sum     uint32
	head    []byte // what is written again and must be equal: the rest of the stream's schema
	notes   []json.RawMessage
	closed  bool
}

// piece is a line of the journal after the first.
type piece struct {
	End  int64           `json:"end"`
	Sum  uint32          `json:"crc32c"`
	Note json.RawMessage `json:"note"`
}

type partialKey struct {
	Key string `json:"key"`
}

// ErrOtherRun is what OpenPartial returns where the partial file is of a run with another key.
var ErrOtherRun = errors.New("is what a run over other samples, or with other options, left behind")

// ErrPartialLocked is what OpenPartial returns where another process writes the file.
var ErrPartialLocked = errors.New("another process is writing it")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxJournal bounds what is read of a journal.
const maxJournal = 1 << 30

// OpenPartial opens the partial file of target, or starts one. The key says what is written: equal keys give equal bytes.
func OpenPartial(target, key string) (*Partial, error) {
	target, err := followLinks(target)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "resume", Path: target, Err: errors.New("not a regular file")}
	}
	p := &Partial{target: target}
	if err := p.open(key); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", p.path(), err), p.Close())
	}
	return p, nil
}

func (p *Partial) path() string { return p.target + ".partial" }

func (p *Partial) open(key string) error {
	var err error
	if p.data, err = os.OpenFile(p.path(), os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return err
	}
	if err := syscall.Flock(int(p.data.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return ErrPartialLocked
	}
	if p.journal, err = os.OpenFile(p.path()+".journal", os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(p.journal, maxJournal))
	if err != nil {
		return err
	}
	first, rest, whole := bytes.Cut(text, []byte("\n"))
	var was partialKey
	if !whole || json.Unmarshal(first, &was) != nil {
		return p.begin(key) // killed before its first line was whole: nothing else was written
	}
	if was.Key != key {
		return ErrOtherRun
	}
	kept := int64(len(first) + 1)
	n, err := p.verify(rest)
	if err != nil {
		return err
	}
	if err := errors.Join(p.journal.Truncate(kept+n), p.data.Truncate(p.end)); err != nil {
		return err
	}
	if _, err := p.journal.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	if _, err := p.data.Seek(p.end, io.SeekStart); err != nil {
		return err
	}
	p.at, p.sum = p.end, 0
	return p.readHead()
}

// begin empties both files and writes the key.
func (p *Partial) begin(key string) error {
	if err := errors.Join(p.journal.Truncate(0), p.data.Truncate(0)); err != nil {
		return err
	}
	if _, err := p.journal.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.line(partialKey{key})
}

// verify goes through the journal's pieces as far as the data hold them, and returns how many bytes of the journal that is.
func (p *Partial) verify(lines []byte) (n int64, err error) {
	buffer := make([]byte, 1<<20)
	for {
		line, rest, whole := bytes.Cut(lines, []byte("\n"))
		var got piece
		if !whole || json.Unmarshal(line, &got) != nil || got.End < p.end {
			return n, nil
		}
		sum, section := uint32(0), io.NewSectionReader(p.data, p.end, got.End-p.end)
		for left := got.End - p.end; left > 0; {
			part := buffer[:min(left, int64(len(buffer)))]
			if _, err := io.ReadFull(section, part); err == io.EOF || err == io.ErrUnexpectedEOF {
				return n, nil
			} else if err != nil {
				return n, err
			}
			sum, left = crc32.Update(sum, castagnoli, part), left-int64(len(part))
		}
		if sum != got.Sum {
			return n, nil
		}
		p.end, p.notes = got.End, append(p.notes, got.Note)
		n, lines = n+int64(len(line))+1, rest
	}
}

// readHead takes the stream's first message, its schema, which a writer that goes on writes again.
func (p *Partial) readHead() error {
	if p.end == 0 {
		return nil
	}
	var prefix [8]byte
	if _, err := p.data.ReadAt(prefix[:], 0); err != nil {
		return err
	}
	length := int64(8) + int64(binary.LittleEndian.Uint32(prefix[4:]))
	if length > p.end {
		return errors.New("does not begin with a schema")
	}
	p.head = make([]byte, length)
	_, err := p.data.ReadAt(p.head, 0)
	return err
}

// Notes returns the notes of the pieces that earlier runs left, in order.
func (p *Partial) Notes() []json.RawMessage { return p.notes }

// Size returns how many bytes there are, of earlier runs as well.
func (p *Partial) Size() int64 { return p.at }

// Write writes to the file. Where an earlier run left something, what comes first is the schema again, which is compared and not
// written.
func (p *Partial) Write(b []byte) (int, error) {
	n := min(len(p.head), len(b))
	if !bytes.Equal(p.head[:n], b[:n]) {
		return 0, fmt.Errorf("%s: %w: its schema differs", p.path(), ErrOtherRun)
	}
	p.head = p.head[n:]
	m, err := p.data.Write(b[n:])
	p.at += int64(m)
	p.sum = crc32.Update(p.sum, castagnoli, b[n:n+m])
	return n + m, err
}

// Mark says that all that was written so far is whole; note is kept with it, as JSON.
func (p *Partial) Mark(note any) error {
	raw, err := json.Marshal(note)
	if err != nil {
		return err
	}
	if err := p.line(piece{p.at, p.sum, raw}); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	p.end, p.sum = p.at, 0
	return nil
}

func (p *Partial) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = p.journal.Write(append(b, '\n'))
	return err
}

// Commit puts the file in its target's place, whose mode it takes where there was one, and removes the journal.
func (p *Partial) Commit() error {
	if p.closed {
		return errors.New("file is committed or closed already")
	}
	if info, err := os.Stat(p.target); err == nil {
		if err := p.data.Chmod(info.Mode().Perm()); err != nil {
			return fmt.Errorf("committing %s: %w", p.target, err)
		}
	}
	if err := os.Rename(p.path(), p.target); err != nil {
		return fmt.Errorf("committing %s: %w", p.target, err)
	}
	err := os.Remove(p.journal.Name())
	return errors.Join(err, p.Close())
}

// Close leaves the file for a later run. After Commit it does nothing.
func (p *Partial) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	var errs []error
	for _, f := range []*os.File{p.journal, p.data} { // the lock goes last
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

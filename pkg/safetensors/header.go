package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// parse reads the header's JSON token by token: a name that comes twice, a key of another case or a number too many, which
// encoding/json lets pass, mean different things to different readers, and are refused.
func (s *File) parse(header []byte) error {
	if !utf8.Valid(header) {
		return errors.New("not UTF-8")
	}
	p := headerParser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	err := p.object(func(name string) error {
		if name == "__metadata__" {
			s.Metadata = map[string]string{}
			return p.object(func(key string) (err error) {
				s.Metadata[key], err = p.text()
				return err
			})
		}
		t, err := p.tensor(name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		s.Tensors = append(s.Tensors, t)
		return nil
	})
	if errors.Is(err, io.EOF) {
		return errors.New("ends in the middle")
	}
	if err != nil {
		return err
	}
	if _, err := p.Token(); err != io.EOF {
		return errors.New("more after its object")
	}
	return nil
}

type headerParser struct{ *json.Decoder }

// object reads an object; member reads the value of each key, of which none may come twice.
func (p headerParser) object(member func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.More() {
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%q comes twice", key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	return p.delim('}')
}

// tensor reads the object of a tensor, which has these three members and no more.
func (p headerParser) tensor(name string) (Tensor, error) {
	t, members := Tensor{Name: name}, 0
	err := p.object(func(key string) error {
		members++
		switch key {
		case "dtype":
			var err error
			t.DType, err = p.text()
			return err
		case "shape":
			dims, err := p.numbers()
			for _, d := range dims {
				t.Shape = append(t.Shape, int(d))
			}
			return err
		case "data_offsets":
			offsets, err := p.numbers()
			if err != nil {
				return err
			}
			if len(offsets) != 2 {
				return fmt.Errorf("%d data_offsets, want 2", len(offsets))
			}
			t.from, t.to = offsets[0], offsets[1]
			return nil
		default:
			return fmt.Errorf("unknown member %q", key)
		}
	})
	if err == nil && members != 3 {
		err = errors.New("want dtype, shape and data_offsets")
	}
	return t, err
}

// numbers reads an array of integers from 0 to 2^63-1.
func (p headerParser) numbers() ([]int64, error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	var all []int64
	for p.More() {
		token, err := p.Token()
		if err != nil {
			return nil, err
		}
		text, ok := token.(json.Number)
		n, err := strconv.ParseInt(string(text), 10, 64)
		if !ok || err != nil || n < 0 {
			return nil, fmt.Errorf("got %v, want an integer of 0 or more", token)
		}
		all = append(all, n)
	}
	return all, p.delim(']')
}

func (p headerParser) text() (string, error) {
	token, err := p.Token()
	if err != nil {
		return "", err
	}
	text, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("got %v, want a text", token)
	}
	return text, nil
}

func (p headerParser) delim(want json.Delim) error {
	token, err := p.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("got %v, want %v", token, want)
	}
	return nil
}

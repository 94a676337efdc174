package encode_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"mmtools/pkg/encode"
	"mmtools/pkg/modality"
)

func Example() {
	dir, err := os.MkdirTemp("", "encode")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	header := "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }"
	file := filepath.Join(dir, "pixels.npy")
	if err := os.WriteFile(file, []byte("\x93NUMPY\x01\x00"+string(rune(len(header)))+"\x00"+header+"\x00\x01\x02\x03\x04\x05"), 0o666); err != nil {
		panic(err)
	}
	src, err := encode.OpenArrays(encode.ArraysOptions{Modalities: []encode.ArrayModality{{Name: "image", Kind: modality.Image, File: file}}})
	if err != nil {
		panic(err)
	}
	defer src.Close()
	err = encode.Run(context.Background(), src, encode.RunOptions{}, func(r *encode.Row) error {
		fmt.Println(r.ID, r.Tensors[0])
		return nil
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// 0 [0 1]
	// 1 [2 3]
	// 2 [4 5]
}

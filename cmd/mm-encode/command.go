package main

import (
	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/schema"
)

type command struct {
	Arrays  arraysCommand  `cmd:"" help:"Take every modality from arrays, tables or tensors that are there already."`
	Media   mediaCommand   `cmd:"" help:"Decode the media that a list names."`
	Dataset datasetCommand `cmd:"" help:"Decode the media of a published data set, or of a folder, with its own lists."`

	cli.Logging
}

// product is what every subcommand ends with.
type product struct {
	OnError string `default:"fail" enum:"fail,skip,null" placeholder:"POLICY" help:"Where a sample's modality cannot be decoded, end with its error (fail), leave the sample out (skip), or keep it without that modality (null) (default: ${default})."`
	Report  string `placeholder:"FILE" help:"Write what was missing or broken to FILE: a JSON object a line, or CSV where FILE ends in .csv, with row, id, modality, path and reason. Ids that files of features or labels have beyond the list stand there too, with row -1."`
	Shard   string `placeholder:"I/N" help:"Encode part I of N, from 1, of the samples selected. The parts hold all of them once, in order, so that cat joins them, and each has the digest of the whole."`
	Resume  bool   `help:"Go on where a run of the same command was killed or failed, from FILE.partial beside the output FILE, and leave that file there until all is encoded. The output is the same as that of one whole run."`
	Tensors string `default:"extension" enum:"extension,list" placeholder:"FORM" help:"Mark tensors with Arrow's extension type for them (extension), or write plain lists with their shape in metadata of ours (list), for readers such as Polars that refuse an extension type that they do not know (default: ${default})."`
	Threads int    `default:"0" placeholder:"N" env:"MM_THREADS" help:"Decode with N threads; 0 takes every core (default: ${default})."`
	cli.Output
	cli.Compression
}

// Validate refuses what no run could do.
func (p product) Validate() error {
	switch {
	case p.Threads < 0:
		return cli.Usage("--threads: got %d, want 0 or more", p.Threads)
	case p.Resume && (p.Output.Output == "" || p.Output.Output == "-"):
		return cli.Usage("--resume needs --output FILE")
	}
	_, _, err := parseShard(p.Shard)
	return err
}

// samples describes the stream that holds s.
func (p product) samples(tool string, s encode.Samples) schema.Samples {
	out := schema.Samples{Lists: p.Tensors == "list", Header: schema.Header{Kind: schema.KindSamples, Tool: tool, Modalities: s.Modalities,
		Classes: s.Classes, Digest: schema.Digest{Samples: s.Digest}}}
	for _, e := range s.Elements {
		out.DTypes = append(out.DTypes, map[encode.Element]schema.DType{
			encode.Float32: schema.Float32, encode.Float16: schema.Float16, encode.Uint8: schema.Uint8}[e])
	}
	return out
}

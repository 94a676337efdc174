// Package encode makes samples out of arrays and media files: it lists them, decodes them on all cores and hands
// them on in list order.
//
// A Source (OpenArrays, OpenMedia) knows before any decoding what the stream's header says: the modalities with their
// shapes, the classes and a digest of what the samples are made from. Run then decodes its rows:
//
//	src, err := encode.OpenMedia(options)
//	...
//	err = encode.Run(ctx, src, encode.RunOptions{}, func(row *encode.Row) error { return write(row) })
//
// OpenMedia takes any List, and makes each modality with a Channel, which a Spec opens. The kinds there are stand in Kinds: what the
// command line calls them, their settings, and a file (channel_*.go) each.
//
// The rows, their order and the first error are the same for any number of threads. Memory is bounded by the list (the manifest, the
// ids), which is held whole, and about 1 MiB, or one row where that is more, for each of 2 threads + 2 groups of rows.
package encode

// Package media decodes files into plain slices: NumPy arrays, wav sound, spectrograms and images.
//
// It knows nothing of samples, streams or Arrow. Every decoder takes its input as hostile: a header is checked
// against the bytes that are there before memory is asked for, and an error names the place in the file (the caller
// adds the file's name where the decoder does not open the file itself). Plans (Spectrogram, Resampler, Imager) are made once
// and reused; a Spectrogram and an Imager hold buffers and belong to one goroutine, an Array and a Resampler may be shared.
//
// Limits: npy of plain numeric and boolean types; wav without compression; png, jpeg, webp and bmp, of jpeg what libjpeg-turbo decodes,
// opened at run time (docs/adr/0009), else what image/jpeg does.
package media

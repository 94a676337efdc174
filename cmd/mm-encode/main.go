// Command mm-encode turns arrays or media files into a samples stream.
package main

import (
	"os"

	"mmtools/pkg/cli"
)

const description = `Turn arrays or media files into a samples stream.

A samples stream is what the other tools train on and measure: a row a sample, with its id, its label and a tensor for each
modality. mm-encode arrays takes NumPy files that hold features already; mm-encode media takes a list of media files, with
a flag for each kind of modality; mm-encode dataset takes the download of a published data set, or folders of media. Files are decoded on every core, in bounded memory, and the stream is the same for any number of
threads. No path may leave the folder of the media.

A run that fails leaves no output file and does not touch an old one; with --resume it leaves what the next run goes on from.

Examples:

    mm-encode arrays --modality audio=mel.npy:16x40 --modality image=pixels.npy --labels labels.npy \
      --mask test.npy --invert -o train.arrows
    mm-encode media --manifest list.csv --id id --label label --audio wav --image frame \
      --where split=train -o train.arrows
    mm-encode dataset kinetics-sounds --root ks --split train --on-missing skip --report missing.jsonl -o ks-train.arrows
    mm-encode dataset folder --root my-clips --split train --audio audio:seconds=3 --video visual=video:frames=5 -o train.arrows`

func main() {
	os.Exit(cli.Main("mm-encode", description, &command{}))
}

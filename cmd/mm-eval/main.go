// Command mm-eval measures a model on samples, and shows what is in a stream.
package main

import (
	"os"

	"mmtools/pkg/cli"
)

const description = `Measure a model on samples, compare runs, and show what is in a stream.

Without a command name, mm-eval measures a model: its accuracy, macro F1 and mean average precision, the accuracy of every class, of every modality alone and of every coalition, and how much each modality contributes.

Examples:

    mm-eval --model model.arrow test.arrows
    mm-eval --format json --model model.arrow -o result.json test.arrows
    mm-eval contributions before=first.arrows after=last.arrows --figure contributions.svg
    mm-eval compare none=none.json sample=sample.json --html report.html
    mm-eval show --get epoch model.arrow`

func main() {
	os.Exit(cli.Main("mm-eval", description, &command{}))
}

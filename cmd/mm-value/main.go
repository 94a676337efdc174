// Mm-value values every modality of every sample: samples and a model to contributions.
package main

import (
	"os"

	"mmtools/pkg/cli"
)

const description = `Values every modality of every sample: what it contributes to the model's classification of it.

The model is given every coalition of the sample's modalities, the others masked at the feature. A coalition that is right is worth its size, and the contributions are the Shapley values of that game: 1 is a modality's fair share, and they sum to the number of modalities where the sample is classified rightly, else to 0. A modality that a sample lacks is no player and its contribution is null.

That is the published valuation. --value takes other values of a coalition, --label predicted values unlabelled samples, --absence puts something else than zeros in the place of an absent modality. But for the published value, whose empty coalition is worth 0, the contributions of a sample sum to the worth of all its modalities less that of the bias alone (not those of --estimator banzhaf and alone).

With --predictions, a stream of what any other framework predicts for every coalition of every sample stands in for model and samples.

Memory does not grow with the number of samples. The contributions are exact unless an --estimator that samples coalitions is asked for; its standard errors are those of the phi of each sample, and phi -+ 2 stderr holds the exact value about 95 times in 100 where --coalitions are enough for 30 draws; a modality that mattered in none of them has the error of one that matters in the next.

Examples:
  mm-value --model model.arrow train.arrows | mm-resample -o plan.arrows
  mm-value --model model.arrow --right -o contributions.arrows test.arrows
  mm-value --model model.arrow --value probability --absence marginal --reference train.arrows --summary summary.json -o contributions.arrows test.arrows
  for i in 1 2 3 4; do mm-value --model model.arrow --shard $i/4 -o part$i.arrows train.arrows; done; cat part?.arrows | mm-resample -o plan.arrows
  mm-value --predictions predictions.arrows -o contributions.arrows`

func main() { os.Exit(cli.Main("mm-value", description, &command{})) }

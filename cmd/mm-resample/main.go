// Mm-resample plans the next epoch of a training: contributions to a plan.
package main

import (
	"os"

	"mmtools/pkg/cli"
)

const description = `Plans the next epoch: reads what each modality contributed to each sample and writes the rows to train on.

Every sample is in the plan once, whole. With --method sample, each modality that contributes less than its share (phi below 1) to a sample adds copies of that sample in which only this modality is kept, the more the less it contributes. With --method modality, the modality with the lowest mean contribution in a random subset is kept alone in samples drawn with replacement, the more the further it lies behind. With --method adaptive, --budget rows a sample, 1 where not given, are added with one modality each, most where it contributes half of its share: in proportion to 2/5 + 4x(1-x), x being phi between 0 and 1. Where a modality contributes nothing it is mostly noise, and where it contributes its share it is learnt. With --method reducible, --budget rows a sample, 0.1 where not given, are added where a modality contributes less than by --potential it could, in proportion to the difference and 0.1, as many for each modality: what is noise could give nothing, and what is learnt gives what it can; once all is learnt, the 0.1 spreads the rows over all samples. With --method none there is nothing else.

More than two modalities share what --method modality adds: all whose mean lies below the average of the means, the more the further. --control replaces the extra rows by as many others, which is what a plan has to do better than.

Memory does not grow with the number of samples. --method modality reads its input three times, --method adaptive and reducible, --budget, --balance, --control duplicate and --control random twice: a file is read again, a pipe is first copied to an unlinked temporary file.

Examples:
  mm-value --model model.arrow train.arrows | mm-resample --seed 7 -o plan.arrows
  mm-resample --budget 0.5 --as weights contributions.arrows -o plan.arrows
  mm-resample --smooth 0.3 epoch-4.arrows epoch-5.arrows epoch-6.arrows -o plan.arrows
  mm-value --value probability --model model.arrow train.arrows | mm-resample --method adaptive -o plan.arrows
  mm-resample --method reducible --potential fold-1.arrows --potential fold-2.arrows contributions.arrows -o plan.arrows
  mm-resample --method modality --function tanh contributions.arrows | mm-fit --init model.arrow --plan - -o model.arrow train.arrows`

func main() { os.Exit(cli.Main("mm-resample", description, &command{})) }

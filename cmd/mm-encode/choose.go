package main

import (
	"fmt"
	"slices"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/dataset"
	"mmtools/pkg/encode"
)

// choose makes the modalities that a list's media allow where no flag asks for one: of each choice the first way whose columns name
// something. Where none does it takes one all the same, so that what is missing is named.
func (c *datasetCommand) choose(ctx *cli.Context, list encode.List, choices []dataset.Choice) ([]encode.Spec, error) {
	if flag := c.Channels.shaping(); flag != "" {
		return nil, cli.Usage("%s: no modality that it could shape: give --audio or --image as well", flag)
	}
	held, absent := heldOf(list, choices)
	if len(held) == 0 {
		first := choices[0]
		held, absent = first[len(first)-1:], nil
	}
	var specs []encode.Spec
	var flags []string
	for _, channel := range held {
		kind, ok := encode.LookKind(channel.Kind)
		if !ok {
			return nil, fmt.Errorf("modality %s of %s: no kind %s", channel.Text, c.Name, channel.Kind)
		}
		spec, err := kind.ParseSpec(channel.Text, nil)
		if err != nil {
			return nil, fmt.Errorf("modality %s of %s: %w", channel.Text, c.Name, err)
		}
		specs = append(specs, spec)
		flags = append(flags, "--"+channel.Kind+" "+channel.Text)
	}
	ctx.Log.Info().Str("modalities", strings.Join(flags, " ")).Msg("chosen by what is there")
	if len(absent) > 0 && c.published() {
		ctx.Log.Warn().Strs("modalities", absent).Msg("nothing in the download to make them of: left out")
	}
	return encoded(specs, c.Channels.Encoder)
}

// heldOf returns the first channel of each choice that a list has something for, and the names of the modalities that it has nothing for.
func heldOf(list encode.List, choices []dataset.Choice) (held []dataset.Channel, absent []string) {
next:
	for _, choice := range choices {
		for _, channel := range choice {
			if encode.Holds(list, channel.Columns...) {
				held = append(held, channel)
				continue next
			}
		}
		name, _, _ := strings.Cut(choice[0].Text, "=")
		absent = append(absent, name)
	}
	return held, absent
}

// published tells whether the data set has lists and experiments of its own.
func (c *datasetCommand) published() bool { return slices.Contains(dataset.Names(), c.Name) }

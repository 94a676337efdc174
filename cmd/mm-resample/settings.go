package main

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
)

func (c *command) control() resample.Control {
	if c.Control == "none" {
		return resample.NoControl
	}
	return resample.Control(c.Control)
}

func (c *command) sampleLevel(epoch int) resample.SampleOptions {
	o := resample.SampleOptions{
		Strength: c.Strength, Function: resample.Copying(c.Function), Exponent: c.Exponent, MaxCopies: c.MaxCopies, Budget: c.Budget,
		Balance: c.Balance, Weights: c.As == "weights", Control: c.control(), Seed: c.Seed.Seed, Epoch: epoch,
	}
	if c.Compat == "published" {
		o.Function = resample.Thresholds
	}
	return o
}

func (c *command) modalityLevel(epoch int) resample.ModalityOptions {
	return resample.ModalityOptions{
		Ratio: c.Ratio, Alpha: c.Alpha, Function: resample.Function(c.Function), Budget: c.Budget, Weights: c.As == "weights",
		Control: c.control(), Seed: c.Seed.Seed, Epoch: epoch,
	}
}

// passes returns how often the contributions are read.
func (c *command) passes() int {
	switch c.Method {
	case "sample":
		return c.sampleLevel(0).Passes()
	case "adaptive":
		return c.sampleLevel(0).Adaptive().Passes()
	case "reducible":
		return c.sampleLevel(0).Reducible().Passes()
	case "modality":
		return 3
	}
	return 1
}

// unused refuses settings that the method does not have: a plan would be made without them, and nobody would know.
func (c *command) unused() error {
	for _, setting := range []struct {
		flag    string
		given   bool
		methods []string // that have it
	}{
		{"--function", c.Function != "linear", []string{"sample", "modality"}},
		{"--strength", c.Strength != 1, []string{"sample"}},
		{"--exponent", c.Exponent != 1.5, []string{"sample"}},
		{"--max-copies", c.MaxCopies != 0, []string{"sample"}},
		{"--balance", c.Balance, []string{"sample", "adaptive", "reducible"}},
		{"--ratio", c.Ratio != 0.2, []string{"modality"}},
		{"--alpha", c.Alpha != 1, []string{"modality"}},
		{"--budget", c.Budget != 0, []string{"sample", "modality", "adaptive", "reducible"}},
		{"--control", c.Control != "none", []string{"sample", "modality", "adaptive", "reducible"}},
	} {
		if setting.given && !slices.Contains(setting.methods, c.Method) {
			return cli.Usage("--method %s takes no %s: it is of %s", c.Method, setting.flag, strings.Join(setting.methods, ", "))
		}
	}
	if c.Exponent != 1.5 && c.Function != "power" {
		return cli.Usage("--exponent is of --function power")
	}
	return nil
}

// check refuses settings that are out of range, and that do not go together.
func (c *command) check() error {
	if c.Epoch != nil && *c.Epoch < 0 {
		return cli.Usage("--epoch: got %d, want 0 or more", *c.Epoch)
	}
	if !(c.Share >= 0) || math.IsInf(c.Share, 0) {
		return cli.Usage("--share %v: want a finite number above 0", c.Share)
	}
	if len(c.Contributions) > 1 && c.Smooth == 0 {
		return cli.Usage("%d contributions streams: want one, or --smooth for the mean over epochs", len(c.Contributions))
	}
	if c.Smooth != 0 {
		if err := resample.CheckAlpha(c.Smooth); err != nil {
			return cli.Usage("--%w", err)
		}
	}
	sample, modal := c.sampleLevel(0), c.modalityLevel(0)
	if c.Method == "modality" { // the function is this method's, and the other settings are good or bad by themselves
		sample.Function = resample.Linearly
	} else {
		modal.Function = resample.Linear
	}
	for _, err := range []error{sample.Validate(), modal.Validate()} {
		if err != nil {
			return cli.Usage("--%w", err) // errors of the options begin with the name of the flag
		}
	}
	if c.Method == "sample" && !slices.Contains(resample.Copyings, resample.Copying(c.Function)) {
		return cli.Usage("--function %s is for --method modality", c.Function)
	}
	if err := c.unused(); err != nil {
		return err
	}
	if reducible := c.Method == "reducible"; reducible != (len(c.Potential) > 0) {
		return cli.Usage("--method reducible and --potential go together: a potential is what it compares contributions with")
	} else if reducible && c.Share != 0 {
		return cli.Usage("--method reducible compares contributions with their potential, and takes no --share")
	}
	if c.Compat == "published" {
		return c.checkCompat()
	}
	return nil
}

// checkCompat refuses what the published code does not have.
func (c *command) checkCompat() error {
	switch {
	case c.Method == "adaptive" || c.Method == "reducible":
		return cli.Usage("--compat published takes no --method %s", c.Method)
	case c.Method == "sample" && c.Function != "linear" && c.Function != "published":
		return cli.Usage("--compat published with --function %s: the published code has its thresholds alone", c.Function)
	case c.Strength != 1 || c.MaxCopies != 0 || c.Budget != 0 || c.Share != 0 || c.Smooth != 0 || c.Balance:
		return cli.Usage("--compat published takes no --strength, --max-copies, --budget, --share, --smooth or --balance")
	case c.As != "copies" || c.Control != "none":
		return cli.Usage("--compat published takes no --as or --control")
	}
	return nil
}

// fits refuses contributions that the settings cannot be applied to.
func (c *command) fits(from schema.Contributions) error {
	if c.Compat == "published" && len(from.Modalities) != 2 {
		return cli.Usage("--compat published with %d modalities: the published code has two", len(from.Modalities))
	}
	if c.Compat == "published" && !published(from) {
		return cli.Usage("--compat published with contributions of the value %s: want published", from.Value)
	}
	if c.Compat == "published" && quantity(from.Estimator) != "shapley" {
		return cli.Usage("--compat published with contributions by the estimator %s: want Shapley values", from.Estimator)
	}
	if _, _, known := c.share(from); !known && c.Method != "none" {
		return cli.Usage("contributions of the value %s have no fair share of their own, below which a modality is copied: want --share", from.Value)
	}
	return nil
}

func published(from schema.Contributions) bool { return from.Value == "" || from.Value == "published" }

// share returns what a modality's fair share is, and whether it is divided by the modalities that a sample has.
func (c *command) share(from schema.Contributions) (share float64, divided, known bool) {
	switch {
	case c.Share != 0:
		return c.Share, false, true
	case c.Method == "reducible": // compares contributions with others, not with a share
		return 1, false, true
	case published(from):
		return 1, false, true
	case from.Value == "right" || from.Value == "probability":
		return 1, true, true
	}
	return 1, false, false
}

// plan describes the plan to write.
func (c *command) plan(tool string, from schema.Contributions) schema.Plan {
	seed := c.Seed.Seed
	plan := schema.Plan{
		Header: schema.Header{
			Tool: tool, Seed: &seed, Modalities: from.Modalities, Classes: from.Classes, Digest: from.Digest,
			Extra: maps.Clone(from.Extra),
		},
		Method: c.Method, Epoch: from.Epoch + 1, Shuffle: true,
	}
	if c.Epoch != nil {
		plan.Epoch = *c.Epoch
	}
	if plan.Extra == nil {
		plan.Extra = map[string]string{}
	}
	number := func(key string, x float64) { plan.Extra[key] = strconv.FormatFloat(x, 'g', -1, 64) }
	switch c.Method {
	case "none":
		return plan
	case "sample":
		plan.Strength = c.Strength
		if f := string(c.sampleLevel(0).Function); f != "linear" {
			plan.Extra["mm.function"] = f
		}
		if c.Function == "power" {
			number("mm.exponent", c.Exponent)
		}
		if c.MaxCopies > 0 {
			number("mm.max_copies", float64(c.MaxCopies))
		}
		if c.Balance {
			plan.Extra["mm.balance"] = "true"
		}
	case "adaptive", "reducible":
		o := c.sampleLevel(0).Adaptive()
		if c.Method == "reducible" {
			o = c.sampleLevel(0).Reducible()
		}
		number("mm.budget", o.Budget)
		if c.Balance {
			plan.Extra["mm.balance"] = "true"
		}
	case "modality":
		number("mm.ratio", c.Ratio)
		number("mm.alpha", c.Alpha)
		plan.Extra["mm.function"] = c.Function
	}
	for key, x := range map[string]float64{"mm.budget": c.Budget, "mm.share": c.Share, "mm.smooth": c.Smooth} {
		if x != 0 {
			number(key, x)
		}
	}
	for key, v := range map[string][2]string{"mm.as": {c.As, "copies"}, "mm.control": {c.Control, "none"}, "mm.compat": {c.Compat, "none"}} {
		if v[0] != v[1] {
			plan.Extra[key] = v[0]
		}
	}
	return plan
}

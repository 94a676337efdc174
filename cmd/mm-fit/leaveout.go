package main

import (
	"mmtools/pkg/checkpoint"
	"mmtools/pkg/cli"
	"mmtools/pkg/schema"
	"mmtools/pkg/train"
)

// checkLeaveOut refuses a fold that is none.
func (c *command) checkLeaveOut() error {
	if c.LeaveOut == "" {
		return nil
	}
	if _, err := schema.ParseFold(c.LeaveOut); err != nil {
		return cli.Usage("--leave-out: %w", err)
	}
	return nil
}

// leaveOut leaves out of the samples those that the model is trained without. A model that has seen them can no longer be.
func (c *command) leaveOut(model *checkpoint.Checkpoint, samples *train.Samples) error {
	if c.LeaveOut != "" && c.LeaveOut != model.State.LeftOut {
		without := "every sample"
		if model.State.LeftOut != "" {
			without = "all samples but those of fold " + model.State.LeftOut
		}
		return cli.Usage("--leave-out %s: the model of --init was trained on %s", c.LeaveOut, without)
	}
	fold, err := model.State.Fold()
	if err != nil {
		return err
	}
	samples.LeaveOut(fold)
	return nil
}

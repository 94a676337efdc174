package main

import (
	"slices"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
)

// selection says which samples of a list are encoded, and under which labels.
type selection struct {
	Classes     string   `placeholder:"FILE|NAME,NAME,..." help:"Name the classes in label order, in a list with commas or in a FILE with a name a line (default: the values of the label column in the whole list, sorted, by number where all are numbers)."`
	OnlyClasses bool     `help:"Leave out the samples whose label is none of --classes, where it would be an error."`
	Split       string   `placeholder:"NAME" help:"Keep the samples whose column split is NAME: as --where split=NAME."`
	Where       []string `sep:"none" placeholder:"COL=VALUE" help:"Keep the samples whose column COL is VALUE. Repeat it for another column, where both must hold, or for the same one, where any value does."`
	OnMissing   string   `default:"fail" enum:"fail,skip,null" placeholder:"POLICY" help:"Where a file that the list names is not there, end with an error (fail), leave the sample out (skip), or keep it without that modality (null) (default: ${default})."`
}

// choose fills in what the flags say of the samples.
func (s *selection) choose(o *encode.MediaOptions) error {
	if s.OnlyClasses && s.Classes == "" {
		return cli.Usage("--only-classes needs --classes")
	}
	var err error
	if o.Classes, err = parseClasses(s.Classes); err != nil {
		return err
	}
	o.OnlyClasses, o.Missing = s.OnlyClasses, encode.Policy(s.OnMissing)
	if s.Split != "" {
		o.Where = append(o.Where, encode.Condition{Column: "split", Values: []string{s.Split}})
	}
	for _, text := range s.Where {
		if o.Where, err = addCondition(o.Where, text); err != nil {
			return err
		}
	}
	return nil
}

// keep says which files are read, so that no output takes the place of one: those of a command's flags, "" being none, and of its
// modalities.
func keep(ctx *cli.Context, specs []encode.Spec, files ...string) error {
	for _, s := range specs {
		if e, ok := s.(encode.EncoderSpec); ok {
			files, s = append(files, e.File), e.Inner
		}
		if f, ok := s.(encode.FeatureSpec); ok {
			files = append(files, f.File)
		}
	}
	return ctx.Keep(slices.DeleteFunc(files, func(file string) bool { return file == "" })...)
}

// encode opens a list's media, tells what the files of features have beyond the list, and writes them.
func (p product) encode(ctx *cli.Context, o encode.MediaOptions) error {
	o.Errors = encode.Policy(p.OnError)
	src, err := encode.OpenMedia(o)
	if err != nil {
		return err
	}
	return p.encodeSource(ctx, src)
}

// encodeSource writes src, and closes it.
func (p product) encodeSource(ctx *cli.Context, src *encode.Media) error {
	defer src.Close()
	for _, l := range src.Leftovers() {
		ctx.Log.Warn().Str("modality", l.Modality).Int("ids", len(l.IDs)).Strs("first", l.IDs[:min(3, len(l.IDs))]).Msg("ids that the list has not")
	}
	without := 0
	for _, f := range src.Missing(0, src.Rows()) {
		if f.Modality == "label" {
			without++
		}
	}
	if without > 0 {
		ctx.Log.Warn().Int("samples", without).Msg("no label in the file of labels")
	}
	return p.write(ctx, src)
}

package cli

import (
	"os"
	"time"

	"github.com/rs/zerolog"
)

// newLogger returns the tool's logger, which writes to the screen: text on a terminal, JSON elsewhere, unless told.
func newLogger(s *screen, tool string, l Logging) zerolog.Logger {
	level := zerolog.InfoLevel
	if l.Quiet {
		level = zerolog.WarnLevel
	}
	if l.LogFormat == "console" || l.LogFormat != "json" && s.terminal {
		_, plain := os.LookupEnv("NO_COLOR")
		console := zerolog.ConsoleWriter{Out: s, NoColor: plain || !s.terminal, TimeFormat: time.TimeOnly}
		return zerolog.New(console).Level(level).With().Timestamp().Str("tool", tool).Logger()
	}
	return zerolog.New(s).Level(level).With().Timestamp().Str("tool", tool).Logger()
}

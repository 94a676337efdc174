// Package clidoc writes a tool's man page and its completions for bash, zsh and fish from the same kong model that
// parses its command line, so that the three cannot disagree.
package clidoc

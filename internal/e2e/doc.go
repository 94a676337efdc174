// Package e2e drives the built tools as a user does: from shell scripts, through pipes, with bad input and signals, and
// by every command of the README and of docs/recipes.md. It has tests only.
package e2e

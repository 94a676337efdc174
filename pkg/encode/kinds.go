package encode

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mmtools/pkg/modality"
)

// Kind is a way to make a modality out of a list's column: what a flag of the command line asks for, as
//
//	[NAME=]COLUMN[:KEY=VALUE,...]
type Kind struct {
	Name  string // of the flag, and of the modality where it has no name of its own
	Help  string // a sentence: what comes out
	Keys  []Key
	Parse func(name, column string, v *Values) Spec
}

// Key is a setting of a Kind. A key whose default is "false" may stand alone for KEY=true.
type Key struct {
	Name        string
	Placeholder string
	Default     string
	Help        string
}

// Kinds are all there are, in the order of the modalities in a stream: a line a kind, and a file (channel_*.go) each.
var Kinds = []Kind{
	soundKind,
	pictureKind,
	videoKind,
	framesKind,
	flowKind,
	textKind,
	featureKind,
}

// LookKind returns the kind of that name.
func LookKind(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// key returns the key of that name, or nil.
func (k Kind) key(name string) *Key {
	i := slices.IndexFunc(k.Keys, func(key Key) bool { return key.Name == name })
	if i < 0 {
		return nil
	}
	return &k.Keys[i]
}

// settings is what may follow a column's name.
var settings = regexp.MustCompile(`^(.+?):([a-z][a-z0-9-]*(?:=[^,]*)?(?:,[a-z][a-z0-9-]*(?:=[^,]*)?)*)$`)

// ParseSpec reads [NAME=]COLUMN[:KEY=VALUE,...]. Defaults, by key, stand in for the kind's own. What follows a colon belongs to the
// column where it does not read as settings: the column "a:b" needs no quoting.
func (k Kind) ParseSpec(text string, defaults map[string]string) (Spec, error) {
	head, v, err := k.cut(text, defaults)
	if err != nil {
		return nil, err
	}
	name, column := k.Name, head
	if own, rest, ok := strings.Cut(head, "="); ok && own != "" && rest != "" {
		name, column = own, rest
	}
	if err := modality.CheckName(name); err != nil {
		return nil, err
	}
	if column == "" {
		return nil, fmt.Errorf("no column: want [NAME=]COL")
	}
	spec := k.Parse(name, column, v)
	return spec, v.err
}

// cut parts the settings from what they follow.
func (k Kind) cut(text string, defaults map[string]string) (head string, v *Values, err error) {
	given := map[string]string{}
	head = text
	if m := settings.FindStringSubmatch(text); m != nil && (strings.Contains(m[2], "=") || k.key(m[2]) != nil) {
		head = m[1]
		for _, item := range strings.Split(m[2], ",") {
			name, value, hasValue := strings.Cut(item, "=")
			key := k.key(name)
			switch {
			case key == nil:
				return "", nil, fmt.Errorf("no setting %q: want %s", name, strings.Join(k.keyNames(), ", "))
			case !hasValue && key.Default == "false":
				value = "true"
			case !hasValue:
				return "", nil, fmt.Errorf("%s: want %s=%s", name, name, key.Placeholder)
			}
			if _, twice := given[name]; twice {
				return "", nil, fmt.Errorf("%s twice", name)
			}
			given[name] = value
		}
	}
	return head, &Values{kind: k, given: given, defaults: defaults}, nil
}

func (k Kind) keyNames() []string {
	var names []string
	for _, key := range k.Keys {
		names = append(names, key.Name)
	}
	return names
}

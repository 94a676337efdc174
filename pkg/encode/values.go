package encode

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Values are the settings of one spec, each as given, else by default. The first that cannot be read is the error of all.
type Values struct {
	kind            Kind
	given, defaults map[string]string
	err             error
}

// Text returns the setting.
func (v *Values) Text(name string) string {
	key := v.kind.key(name)
	if key == nil {
		panic(fmt.Sprintf("encode: kind %s has no key %s", v.kind.Name, name))
	}
	if text, ok := v.given[name]; ok {
		return text
	}
	if text, ok := v.defaults[name]; ok {
		return text
	}
	return key.Default
}

// Has tells whether the setting was given, here or among the defaults of all.
func (v *Values) Has(name string) bool {
	_, given := v.given[name]
	_, byDefault := v.defaults[name]
	return given || byDefault
}

func (v *Values) refuse(name, want string) {
	if v.err == nil {
		v.err = fmt.Errorf("%s=%s: want %s", name, v.Text(name), want)
	}
}

// Int returns a whole number; "" is 0.
func (v *Values) Int(name string) int {
	text := v.Text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		v.refuse(name, "a whole number")
	}
	return n
}

// Float returns a number; "" is 0.
func (v *Values) Float(name string) float64 {
	text := v.Text(name)
	if text == "" {
		return 0
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x-x != 0 { // NaN or infinite
		v.refuse(name, "a number")
	}
	return x
}

// Bool returns whether the setting is "true".
func (v *Values) Bool(name string) bool { return v.OneOf(name, "true", "false") == "true" }

// OneOf returns the setting, which is one of the choices.
func (v *Values) OneOf(name string, choices ...string) string {
	text := v.Text(name)
	if !slices.Contains(choices, text) {
		v.refuse(name, strings.Join(choices, " or "))
	}
	return text
}

// Size returns HxW, or N for N by N; 0, 0 for "".
func (v *Values) Size(name string) (height, width int) {
	text := v.Text(name)
	if text == "" {
		return 0, 0
	}
	h, w, two := strings.Cut(text, "x")
	if !two {
		w = h
	}
	height, err := strconv.Atoi(h)
	if err == nil {
		width, err = strconv.Atoi(w)
	}
	if err != nil || height < 1 || width < 1 {
		v.refuse(name, "HxW or N, in pixels from 1")
	}
	return height, width
}

// Pattern returns the setting, which path.Match takes.
func (v *Values) Pattern(name string) string {
	text := v.Text(name)
	if _, err := path.Match(text, ""); err != nil {
		v.refuse(name, "names with * and ? in them")
	}
	return text
}

// Shape returns DxDx..., or nil for "".
func (v *Values) Shape(name string) []int {
	text := v.Text(name)
	if text == "" {
		return nil
	}
	var shape []int
	for d := range strings.SplitSeq(text, "x") {
		n, err := strconv.Atoi(d)
		if err != nil || n < 1 || n > maxElements {
			v.refuse(name, "numbers from 1 with x between them")
			return nil
		}
		shape = append(shape, n)
	}
	return shape
}

package report

import (
	_ "embed"
	"html/template"
	"io"
)

// Page is a self-contained HTML page.
type Page struct {
	Title    string
	Lead     string // a sentence below the title
	Sections []Section
	Foot     string // what wrote the page, from what
}

// Section is a part of a Page; what it lacks is left out.
type Section struct {
	Heading string
	Text    string
	Tables  []*Table
	Figures []*Figure
}

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	// The figures are our own drawings, whose texts vgsvg has escaped.
	"inline": func(f *Figure) template.HTML { return template.HTML(f.inline()) },
}).Parse(pageSource))

// Write writes the page. It loads nothing and runs no script; a phone shows it in one column, and wide tables and figures
// scroll by themselves.
func (p *Page) Write(w io.Writer) error { return page.Execute(w, p) }

package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestTableText(t *testing.T) {
	table := &Table{Caption: "Accuracy", Head: []string{"method", "all"}}
	table.Add("none", "98.3 %")
	table.Add("größer", "7 %")
	var b strings.Builder
	if err := table.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := "Accuracy\nmethod     all\nnone    98.3 %\ngrößer     7 %\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// A page holds everything it shows: texts are escaped, nothing is fetched, no script runs; the neutral colours of its
// figures are the page's.
func TestPageIsSelfContained(t *testing.T) {
	f, err := Accuracy("Accuracy <of> all", []string{"all"}, []Method{{"a & b", [][]float64{{0.5}}}}, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	table := &Table{Caption: "Results", Head: []string{"method", "all"}, Rows: [][]string{{"<script>alert(1)</script>", "50.0 %"}}}
	p := Page{Title: "Comparison <b>", Lead: "Two methods.", Foot: "mm-eval", Sections: []Section{
		{Heading: "Accuracy", Text: "As measured.", Tables: []*Table{table}, Figures: []*Figure{f}}, {},
	}}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"<title>Comparison &lt;b&gt;</title>", "&lt;script&gt;alert(1)", "a &amp; b", "Accuracy &lt;of&gt; all",
		"50.0 %", "As measured.", "var(--ink)", `name="viewport"`, "prefers-color-scheme: dark", "<footer>mm-eval"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	namespaces := regexp.MustCompile(`xmlns(:xlink)?="[^"]*"`).ReplaceAllString(page, "")
	for _, fetch := range []string{"http:", "https:", "<script", "src=", "href=", "@import", "url("} {
		if strings.Contains(namespaces, fetch) {
			t.Errorf("the page holds %q", fetch)
		}
	}
	for i := 0; i < len(neutrals); i += 2 {
		if strings.Contains(page[strings.Index(page, "<svg"):], neutrals[i]) {
			t.Errorf("the figure keeps %s, which a dark page cannot show", neutrals[i])
		}
	}
	if strings.Count(page, "<svg") != 1 || strings.Count(page, "<h2>") != 1 {
		t.Errorf("%d figures and %d headings, want one of each", strings.Count(page, "<svg"), strings.Count(page, "<h2>"))
	}
}

// Package report draws the tools' figures and writes them, with tables, as one HTML page.
//
// A Figure comes from one of the constructors (Contributions, Accuracy, Confusion), which copy what they need, and is
// written as SVG or PNG; the same data gives the same bytes. All figures share one look: 6 inches wide, Liberation Sans
// (with Arial and Helvetica as fallbacks in SVG), the palette of Okabe and Ito (2008, "Color Universal Design"), which is
// told apart with any colour vision, axis labels with units, and the legend above the data.
//
// A Page is self-contained: figures are inlined as SVG, whose neutral colours follow the reader's light or dark mode;
// nothing is loaded from a network and no script runs.
//
// Limits: the palette has seven colours; more series repeat them. Figures hold a histogram or a summary, never the
// samples, so their size does not grow with the data.
package report

// Package hostgroup is a kernel.Group of CPU devices, one after the other: the reference that groups of cards are held to.
package hostgroup

import (
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
)

// Group is several CPU devices.
type Group struct {
	kernel.Device // the first
	Means         int
	all           []kernel.Device
}

// New opens n devices of one thread each, and closes them when the test ends.
func New(t testing.TB, n int) *Group {
	t.Helper()
	g := &Group{}
	for range n {
		d, err := cpu.New(1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		g.all = append(g.all, d)
	}
	g.Device = g.all[0]
	return g
}

// Devices returns the devices.
func (g *Group) Devices() []kernel.Device { return g.all }

// Mean takes the mean on the host.
func (g *Group) Mean(x, room []kernel.Buffer, n, rows int) {
	g.Means++
	total, part := make([]float64, n), make([]float32, n)
	for i, d := range g.all {
		if room[i].Len() < kernel.MeanRoom(n, len(g.all)) {
			panic("hostgroup: no room for the mean")
		}
		from, to := kernel.Share(rows, len(g.all), i)
		if from == to {
			continue
		}
		d.Download(part, x[i])
		for k, v := range part {
			total[k] += float64(to-from) * float64(v)
		}
	}
	for k, v := range total {
		part[k] = float32(v / float64(rows))
	}
	for i, d := range g.all {
		d.Upload(x[i], part)
	}
}

//go:build mmcuda && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// group is several cards. What lies on one goes to another through NCCL where it is, else by copies that the driver makes, straight
// where the cards reach each other's memory and through the host where not. Nothing is added on the way: the same sums either way.
type group struct {
	*Device // the first
	cards   []*Device
	devices []kernel.Device
	marks   []mark
	nccl    *nccl // nil where it is missing
}

// mark is what the other cards wait for.
type mark struct {
	ready cu.Event // what is to be moved is there
	moved cu.Event // what this card takes from others has been taken
}

var _ kernel.Group = (*group)(nil)

// newGroup opens the cards of the given numbers.
func newGroup(cards []int, o Options) (kernel.Device, error) {
	g := &group{}
	for _, card := range cards {
		d, err := newDevice(card, o)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		d.name = groupName(cards)
		g.cards, g.devices = append(g.cards, d), append(g.devices, d)
	}
	g.Device = g.cards[0]
	for _, d := range g.cards {
		d.do("connecting cards", func() error { return g.connect(d) })
		if d.err != nil {
			return nil, errors.Join(d.err, g.Close())
		}
	}
	var err error
	if g.nccl, err = openNCCL(cards); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// groupName is the cards as --device names them.
func groupName(cards []int) string {
	var numbers []string
	for _, c := range cards {
		numbers = append(numbers, strconv.Itoa(c))
	}
	return "cuda:" + strings.Join(numbers, ",")
}

// peersEnvironment is the variable that, set to "none", makes cards exchange through the host what they could straight: on some machines
// the way between them is broken.
const peersEnvironment = "MM_CUDA_PEERS"

// connect makes what a card needs beside the others. Where two do not reach each other's memory, the driver copies through the host.
func (g *group) connect(d *Device) error {
	var m mark
	var err error
	if m.ready, err = d.event(); err != nil {
		return err
	}
	if m.moved, err = d.event(); err != nil {
		return err
	}
	g.marks = append(g.marks, m)
	if os.Getenv(peersEnvironment) == "none" {
		return nil
	}
	for _, other := range g.cards {
		if other == d {
			continue
		}
		reaches, err := d.card.CanAccessPeer(other.card)
		if err != nil {
			return err
		}
		if reaches == 0 {
			continue
		}
		switch err := other.context.EnablePeerAccess(0); err {
		case nil, cu.PeerAccessAlreadyEnabled:
		case cu.PeerAccessUnsupported, cu.TooManyPeers: // as of cards that do not reach each other
		default:
			return err
		}
	}
	return nil
}

// Devices returns the cards.
func (g *group) Devices() []kernel.Device { return g.devices }

// Engine names the cards and what computes and moves on them.
func (g *group) Engine() string {
	name := fmt.Sprintf("%d cards, the first %s", len(g.cards), g.Device.Engine())
	if g.nccl != nil {
		name += ", " + g.nccl.name
	}
	return name
}

// Err returns the first failure of any card.
func (g *group) Err() error {
	for _, d := range g.cards {
		if d.err != nil {
			return d.err
		}
	}
	return nil
}

// Close closes all cards.
func (g *group) Close() error {
	var errs []error
	for _, d := range g.cards { // before NCCL goes, nothing may be on its way
		if d.err == nil {
			d.do("closing", d.compute.Synchronize)
		}
	}
	g.nccl.close()
	g.nccl = nil
	for _, d := range g.cards {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// move is n elements on their way from a card to another.
type move struct {
	from, to       int
	source, target cu.DevicePtr
	n              int
}

// Mean takes the mean over the cards: every card gets its share of the elements from the others, takes the mean of it, and the others
// get that. So each element crosses 2 (cards-1) / cards times, as in an all-reduce, and is added up by one card, in the cards' order.
func (g *group) Mean(x, room []kernel.Buffer, n, rows int) {
	cards, slot := len(g.cards), kernel.Largest(n, len(g.cards))
	var gather, spread []move
	for i := range g.cards {
		from, to := kernel.Share(n, cards, i)
		if from == to {
			continue
		}
		part := func(card int) cu.DevicePtr { return at(x[card].Slice(from, to), to-from) }
		target := at(room[i], kernel.MeanRoom(n, cards))
		for j := range g.cards {
			if j == i {
				continue
			}
			if first, last := kernel.Share(rows, cards, j); first < last {
				gather = append(gather, move{from: j, to: i, source: part(j), target: target, n: to - from})
			}
			spread = append(spread, move{from: i, to: j, source: part(i), target: part(j), n: to - from})
			target += cu.DevicePtr(4 * slot)
		}
	}
	g.move(gather)
	for i, d := range g.cards {
		from, to := kernel.Share(n, cards, i)
		own := x[i].Slice(from, to)
		d.launch("mm_mean_cards", elements(to-from), ptr(own, to-from), ptr(room[i], kernel.MeanRoom(n, cards)), num(to-from), num(slot), num(i),
			num(cards), num(rows))
	}
	g.move(spread)
}

// move queues moves: none starts before what was queued on either of its cards, and what either is given next waits for it.
func (g *group) move(all []move) {
	if g.Err() != nil || len(all) == 0 {
		return // half a group must not wait for the other half
	}
	if g.nccl != nil {
		g.Device.do("moving by NCCL", func() error { return g.nccl.move(all, g.cards) })
		return
	}
	for i, d := range g.cards {
		d.do("moving", func() error { return g.marks[i].ready.Record(d.compute) })
	}
	for i, d := range g.cards {
		d.do("moving", func() error { return g.take(i, all) })
	}
	for i, d := range g.cards {
		d.do("moving", func() error { return g.release(i, all) })
	}
}

// take queues what a card takes from others.
func (g *group) take(card int, all []move) error {
	d := g.cards[card]
	for _, m := range all {
		if m.to != card {
			continue
		}
		if err := d.compute.Wait(g.marks[m.from].ready, 0); err != nil {
			return err
		}
		if err := cu.MemcpyPeerAsync(m.target, d.context, m.source, g.cards[m.from].context, int64(4*m.n), d.compute); err != nil {
			return err
		}
	}
	return g.marks[card].moved.Record(d.compute)
}

// release makes a card wait until what others take from it has been taken.
func (g *group) release(card int, all []move) error {
	for _, m := range all {
		if m.from != card {
			continue
		}
		if err := g.cards[card].compute.Wait(g.marks[m.to].moved, 0); err != nil {
			return err
		}
	}
	return nil
}

package kernel

// Group is several devices that compute as one: a minibatch is divided among them, and each holds the whole model. As a Device
// it is the first of them; Err and Close are of all.
type Group interface {
	Device
	// Devices returns the devices in their order.
	Devices() []Device
	// Mean writes to every device's x the mean over the devices, weighted by their shares of a minibatch of rows rows: the same bits
	// everywhere. What a device without a row holds does not count. The sum is taken in float64, in the order of the devices, and the
	// mean rounded once. x and room are a buffer a device; x holds at least n elements, room MeanRoom(n, devices), which are lost.
	Mean(x, room []Buffer, n, rows int)
}

// Devices returns the devices of a group, or d itself.
func Devices(d Device) []Device {
	if g, ok := d.(Group); ok {
		return g.Devices()
	}
	return []Device{d}
}

// Share returns which rows of a minibatch, from from to before to, are the i-th of n devices'. The shares differ by one row at
// most, the first being the largest: only a minibatch of fewer rows than devices leaves one without any, never the first.
func Share(rows, n, i int) (from, to int) {
	size, more := rows/n, rows%n
	from = i*size + min(i, more)
	to = from + size
	if i < more {
		to++
	}
	return from, to
}

// Largest returns the rows of the largest share.
func Largest(rows, n int) int { return (rows + n - 1) / n }

// MeanRoom returns the elements that Group.Mean needs on each of so many devices for n elements: every device computes one share
// of them, which it gets from all others.
func MeanRoom(n, devices int) int { return (devices - 1) * Largest(n, devices) }

// Free returns the bytes that are free on the device of a group that has least, or 0 where the devices' memory is the host's.
func Free(d Device) int64 {
	least := int64(0)
	for i, d := range Devices(d) {
		g, ok := d.(Gatherer)
		if !ok {
			return 0
		}
		if free := g.Free(); i == 0 || free < least {
			least = free
		}
	}
	return least
}

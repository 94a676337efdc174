package encode

// inspect looks at every cell of the rows kept, before anything is written: it finds what is not there, leaves out the samples
// or modalities that Missing says, and hashes the options, the rows kept, their fields and what the channels say of them.
func (m *Media) inspect() error {
	options := make([]any, len(m.channels))
	for p, c := range m.channels {
		options[p] = c.Options()
	}
	d := newDigest()
	d.Text("media")
	d.options(struct {
		Samples  Samples
		Channels []any
	}{m.samples, options})
	kept := m.rows[:0]
	for _, row := range m.rows {
		keep, err := m.inspectRow(row, d)
		if err != nil {
			return err
		}
		if keep {
			kept = append(kept, row)
		}
	}
	m.rows = kept
	m.samples.Digest = d.String()
	return nil
}

// inspectRow looks at a row's cells; false leaves the sample out. What is broken and not missing, such as a path that leaves the
// root, is found again when it is decoded.
func (m *Media) inspectRow(row int, d *Digest) (keep bool, err error) {
	d.Text(m.list.Field(row, m.id))
	d.Number(int64(m.labelOf(row)))
	var cell Cell
	keep = true
	for p, c := range m.channels {
		there := m.cell(&cell, c, row)
		for _, field := range cell.Fields {
			d.Text(field)
		}
		if !there {
			continue
		}
		err := c.Inspect(cell, d)
		if err == nil {
			continue
		}
		f := m.failure(p, cell, err)
		if !f.Missing {
			if m.o.Errors == Fail {
				return false, f.Err
			}
			continue
		}
		switch m.o.Missing {
		case Fail:
			return false, f.Err
		case Skip:
			keep = false
		case Null:
			m.absent[[2]int{row, p}] = true
		}
		m.missing = append(m.missing, f)
		d.Text(string(m.o.Missing))
	}
	return keep, nil
}

package encode

// fileChannel is the part of a channel whose cells are paths of one file each.
type fileChannel struct {
	name    string
	columns []int
	folder  *Folder
}

// files returns the fileChannel of modality name; column holds the paths, and more are further columns of the cell.
func (in *Inputs) files(name, column string, more ...string) (fileChannel, error) {
	places, err := columnsOf(in.List, append([]string{column}, more...)...)
	return fileChannel{name, places, in.Folder}, err
}

// Columns implements Channel.
func (c fileChannel) Columns() []int { return c.columns }

// Inspect implements Channel: the file is there, and its size stands for what it holds.
func (c fileChannel) Inspect(cell Cell, d *Digest) error {
	info, err := c.folder.Stat(cell.Fields[0])
	if err != nil {
		return err
	}
	d.Number(info.Size())
	return nil
}

// Close implements Channel.
func (c fileChannel) Close() error { return nil }

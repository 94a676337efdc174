package dsp

import "math"

// The kernels in Go. A row is Lanes numbers.

type row = [Lanes]float64

func at(x []float64, i int) *row { return (*row)(x[i*Lanes:]) }

// goGather writes frames of wave that begin at from to the columns, each sample times the window's where there is one.
func goGather(frames []float64, wave []float32, from *[Lanes]int, window []float64) {
	n := len(frames) / Lanes
	for lane, start := range from {
		if window == nil {
			for i, v := range wave[start:][:n] {
				frames[i*Lanes+lane] = float64(v)
			}
			continue
		}
		for i, v := range wave[start:][:n] {
			frames[i*Lanes+lane] = float64(v) * window[i]
		}
	}
}

// goFilter takes the mean off, then emphasis times the sample before, and weighs with the window.
func goFilter(frames, window []float64, centre bool, emphasis float64) {
	var mean row
	if centre {
		for i := range window {
			r := at(frames, i)
			for lane := range r {
				mean[lane] += r[lane]
			}
		}
		for lane := range mean {
			mean[lane] /= float64(len(window))
		}
	}
	for i := len(window) - 1; i >= 0; i-- {
		r, before, w := at(frames, i), at(frames, max(i-1, 0)), window[i]
		for lane := range r {
			r[lane] = w * (r[lane] - mean[lane] - emphasis*(before[lane]-mean[lane]))
		}
	}
}

// goPasses are all stages of the complex transform of half rows.
func goPasses(x []float64, radices []int32, twiddles []float64, half int) {
	size := half
	for _, r := range radices {
		radix := int(r)
		part := size / radix
		for block := 0; block < half; block += size {
			goBlock(x[2*Lanes*block:][:2*Lanes*size], part, radix, twiddles)
		}
		twiddles = twiddles[2*part*(radix-1):]
		size = part
	}
}

// goBlock is one stage of a block: x is (radix, part, 2, Lanes), real and imaginary rows.
func goBlock(x []float64, part, radix int, twiddles []float64) {
	switch radix {
	case 2:
		for j := range part {
			w := twiddles[2*j:][:2]
			ar, ai, br, bi := at(x, 2*j), at(x, 2*j+1), at(x, 2*(j+part)), at(x, 2*(j+part)+1)
			for l := range ar {
				dr, di := ar[l]-br[l], ai[l]-bi[l]
				ar[l], ai[l] = ar[l]+br[l], ai[l]+bi[l]
				br[l], bi[l] = dr*w[0]-di*w[1], dr*w[1]+di*w[0]
			}
		}
	case 4:
		for j := range part {
			goButterfly4(x, j, part, twiddles[6*j:][:6])
		}
	default:
		for j := range part {
			goButterfly(x, j, part, radix, twiddles[2*(radix-1)*j:])
		}
	}
}

func goButterfly4(x []float64, j, part int, w []float64) {
	ar, ai, br, bi := at(x, 2*j), at(x, 2*j+1), at(x, 2*(j+part)), at(x, 2*(j+part)+1)
	cr, ci, dr, di := at(x, 2*(j+2*part)), at(x, 2*(j+2*part)+1), at(x, 2*(j+3*part)), at(x, 2*(j+3*part)+1)
	w1r, w1i, w2r, w2i, w3r, w3i := w[0], w[1], w[2], w[3], w[4], w[5]
	for l := range ar {
		sr, si, tr, ti := ar[l]+cr[l], ai[l]+ci[l], ar[l]-cr[l], ai[l]-ci[l]
		ur, ui, vr, vi := br[l]+dr[l], bi[l]+di[l], bi[l]-di[l], dr[l]-br[l] // v = -i (b - d)
		ar[l], ai[l] = sr+ur, si+ui
		pr, pi, qr, qi, zr, zi := tr+vr, ti+vi, sr-ur, si-ui, tr-vr, ti-vi
		br[l], bi[l] = pr*w1r-pi*w1i, pr*w1i+pi*w1r
		cr[l], ci[l] = qr*w2r-qi*w2i, qr*w2i+qi*w2r
		dr[l], di[l] = zr*w3r-zi*w3i, zr*w3i+zi*w3r
	}
}

// roots are exp(-2 pi i k/radix) of the radices that have no kernel of their own.
var roots = map[int][]float64{3: unitRoots(3), 5: unitRoots(5)}

func unitRoots(n int) []float64 {
	var out []float64
	for k := range n {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
		out = append(out, cos, sin)
	}
	return out
}

// goButterfly is the definition, for radices 3 and 5.
func goButterfly(x []float64, j, part, radix int, w []float64) {
	var in [5][2]row
	for q := range radix {
		in[q] = [2]row{*at(x, 2*(j+q*part)), *at(x, 2*(j+q*part)+1)}
	}
	root := roots[radix]
	for p := range radix {
		var re, im row
		for q := range radix {
			k := p * q % radix
			cos, sin := root[2*k], root[2*k+1]
			for l := range re {
				re[l] += in[q][0][l]*cos - in[q][1][l]*sin
				im[l] += in[q][0][l]*sin + in[q][1][l]*cos
			}
		}
		outR, outI := at(x, 2*(j+p*part)), at(x, 2*(j+p*part)+1)
		if p == 0 {
			*outR, *outI = re, im
			continue
		}
		cos, sin := w[2*p-2], w[2*p-1]
		for l := range re {
			outR[l], outI[l] = re[l]*cos-im[l]*sin, re[l]*sin+im[l]*cos
		}
	}
}

// goSplit makes the power of the real transform of the complex one, whose output k lies at position[k].
func goSplit(power, z []float64, position []int32, turns []float64) {
	half := len(position)
	first, last := at(power, 0), at(power, half)
	zr, zi := at(z, 2*int(position[0])), at(z, 2*int(position[0])+1)
	for l := range first {
		sum, difference := zr[l]+zi[l], zr[l]-zi[l]
		first[l], last[l] = sum*sum, difference*difference
	}
	for k := 1; 2*k <= half; k++ {
		a, b := 2*int(position[k]), 2*int(position[half-k])
		ar, ai, br, bi := at(z, a), at(z, a+1), at(z, b), at(z, b+1)
		low, high := at(power, k), at(power, half-k)
		cos, sin := turns[2*k], turns[2*k+1]
		for l := range low {
			er, ei := (ar[l]+br[l])/2, (ai[l]-bi[l])/2
			or, oi := (ai[l]+bi[l])/2, (br[l]-ar[l])/2
			tr, ti := or*cos-oi*sin, or*sin+oi*cos
			pr, pi, mr, mi := er+tr, ei+ti, er-tr, ei-ti
			low[l], high[l] = pr*pr+pi*pi, mr*mr+mi*mi
		}
	}
}

func goBands(out, rows []float64, b *Bands) {
	weights := b.Weights
	for m, first := range b.First {
		var sum row
		for k := range int(b.Count[m]) {
			r, w := at(rows, int(first)+k), weights[k]
			for l := range sum {
				sum[l] += w * r[l]
			}
		}
		weights = weights[b.Count[m]:]
		*at(out, m) = sum
	}
}

func goLogarithm(x []float64, floor, add float64) {
	for i, v := range x {
		x[i] = math.Log(max(v, floor) + add)
	}
}

func goRoot(x []float64) {
	for i, v := range x {
		x[i] = math.Sqrt(v)
	}
}

func goSpread(dst []float32, stride int, rows []float64, count int) {
	for i := range len(rows) / Lanes {
		for lane, v := range at(rows, i)[:count] {
			dst[i*stride+lane] = float32(v)
		}
	}
}

func goStore(dst []float32, rows []float64, count int) {
	n := len(rows) / Lanes
	for lane := range count {
		for i := range dst[lane*n:][:n] {
			dst[lane*n+i] = float32(rows[i*Lanes+lane])
		}
	}
}

package media

import (
	"cmp"
	"fmt"
	"math"

	"mmtools/pkg/media/dsp"
)

// Spectrogram is a plan that turns waveforms of one length into spectrograms of one shape:
//
//	X_t = DFT(window * frame t),   P_t = |X_t|^2 or |X_t|,   B_t(m) = sum_k w_m(k) P_t(k),   out[t] = DCT(log(B_t))
//
// each step as SpectrogramOptions say; bands and cosine transform are optional. It holds buffers: one goroutine at a time.
type Spectrogram struct {
	o      SpectrogramOptions
	total  int // frames of a spectrogram
	frames int // of the waveform at hand
	width  int // numbers a frame
	shape  dsp.Shape
	plan   *dsp.Plan
	bands  *dsp.Bands // nil for the bins
	dct    *dsp.Bands // nil for none
	scale  []float64  // of each bin, nil for 1
	side   int        // samples of padding on each side
	edge   []float32  // a block of frames that the waveform's ends lie in
	frame  []float64  // (NFFT, Lanes)
	power  []float64  // (bins, Lanes)
	band   []float64  // (bands, Lanes), or (blocks, bands, Lanes) where decibels wait for the highest
	out    []float64  // (width, Lanes)
}

// NewSpectrogram makes the plan; an error says which option cannot be.
func NewSpectrogram(o SpectrogramOptions) (*Spectrogram, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Spectrogram{o: o, width: o.bands(), plan: dsp.NewPlan(o.NFFT)}
	if o.Padding != None {
		s.side = o.NFFT / 2
	}
	s.frames = 1 + (o.Samples+2*s.side-o.frame())/o.Hop
	s.total = cmp.Or(o.Frames, s.frames)
	if err := s.weights(); err != nil {
		return nil, err
	}
	if o.Mels > 0 {
		var err error
		if s.bands, err = melBands(&o); err != nil {
			return nil, err
		}
	}
	s.power = dsp.Rows(s.plan.Bins())
	s.frame = dsp.Rows(o.NFFT)
	if o.Mels > 0 {
		s.band = dsp.Rows(o.Mels)
	}
	if o.Loudness == Decibel {
		s.band = dsp.Rows((s.frames + dsp.Lanes - 1) / dsp.Lanes * o.bands())
	}
	if o.Coefficients > 0 {
		s.width = o.Coefficients
		s.dct = cosines(o.Coefficients, o.bands())
		s.out = dsp.Rows(o.Coefficients)
	}
	s.edge = make([]float32, (min(s.frames, dsp.Lanes)-1)*o.Hop+o.NFFT)
	return s, nil
}

// weights fixes the window, where it lies in the transform, and the scale of the bins.
func (s *Spectrogram) weights() error {
	window, err := s.o.Shape.weights(s.o.Window)
	if err != nil {
		return err
	}
	s.shape = dsp.Shape{Window: window, Centre: s.o.Centre, Emphasis: s.o.Emphasis}
	if s.o.Padding != None {
		s.shape.Skip = (s.o.NFFT - s.o.Window) / 2
	}
	if !s.o.Density {
		return nil
	}
	var energy float64
	for _, w := range window {
		energy += w * w
	}
	s.scale = make([]float64, s.plan.Bins())
	for k := range s.scale {
		s.scale[k] = 1 / (float64(s.o.Rate) * energy)
		if k > 0 && 2*k != s.o.NFFT {
			s.scale[k] *= 2
		}
	}
	return nil
}

// Shape returns the dimensions of a spectrogram: frames and bands, or the other way round.
func (s *Spectrogram) Shape() []int {
	if s.o.BandsFirst {
		return []int{s.width, s.total}
	}
	return []int{s.total, s.width}
}

// Transform writes the spectrogram of wave, of Samples or fewer, to dst, of Shape; the frames that a shorter wave lacks are 0. One that
// has none at all, or cannot be mirrored, is an error.
func (s *Spectrogram) Transform(dst, wave []float32) error {
	n := len(wave) + 2*s.side
	switch {
	case len(wave) > s.o.Samples:
		panic("media: a waveform longer than the plan's")
	case n < s.o.frame() || s.o.Padding == Reflect && len(wave) <= s.side:
		return fmt.Errorf("%d samples of sound: too few for a frame of %d", len(wave), s.o.frame())
	}
	s.frames = 1 + (n-s.o.frame())/s.o.Hop
	dst = dst[:s.total*s.width]
	total, count := s.total, min(s.frames, s.total)
	clear(dst)
	if s.o.Loudness == Decibel {
		s.decibels(wave)
	}
	for t := 0; t < count; t += dsp.Lanes {
		s.write(dst, s.finish(s.block(wave, t)), t, min(dsp.Lanes, count-t), total)
	}
	s.normalise(dst)
	return nil
}

// block returns the loudness of the frames from t on, (bands, Lanes).
func (s *Spectrogram) block(wave []float32, t int) []float64 {
	if s.o.Loudness == Decibel {
		n := s.o.bands() * dsp.Lanes
		return s.band[t/dsp.Lanes*n:][:n]
	}
	rows := s.sums(wave, t, s.band)
	switch s.o.Loudness {
	case LogAdd:
		dsp.Log(rows, 0, logAdd)
	case LogMax:
		dsp.Log(rows, logMax, 0)
	}
	return rows
}

// sums returns the bands, or bins, of the frames from t on; bands in out.
func (s *Spectrogram) sums(wave []float32, t int, out []float64) []float64 {
	count := min(dsp.Lanes, s.frames-t)
	dsp.Gather(s.frame, s.span(wave, t, count), s.o.Hop, count, &s.shape)
	s.plan.Power(s.power, s.frame)
	for k, scale := range s.scale {
		row := s.power[k*dsp.Lanes:][:dsp.Lanes]
		for lane := range row {
			row[lane] *= scale
		}
	}
	if s.o.Power == 1 {
		dsp.Root(s.power)
	}
	if s.bands == nil {
		return s.power
	}
	s.bands.Apply(out, s.power)
	return out
}

// decibels fills band with all frames, none more than 80 dB below the highest of all.
func (s *Spectrogram) decibels(wave []float32) {
	n, highest := s.o.bands()*dsp.Lanes, math.Inf(-1)
	for t := 0; t < s.frames; t += dsp.Lanes {
		rows := s.band[t/dsp.Lanes*n:][:n]
		copy(rows, s.sums(wave, t, rows))
		dsp.Log(rows, powerMin, 0)
		for i, v := range rows { // columns beyond the last frame repeat another
			rows[i] = v * (10 / math.Ln10)
			highest = max(highest, rows[i])
		}
	}
	for i, v := range s.band[:(s.frames+dsp.Lanes-1)/dsp.Lanes*n] {
		s.band[i] = max(v, highest-topDB)
	}
}

// finish applies the cosine transform, if any.
func (s *Spectrogram) finish(rows []float64) []float64 {
	if s.dct == nil {
		return rows
	}
	s.dct.Apply(s.out, rows)
	return s.out
}

// write puts count columns of rows to frames t to t+count-1 of total.
func (s *Spectrogram) write(dst []float32, rows []float64, t, count, total int) {
	if !s.o.BandsFirst {
		dsp.Store(dst[t*s.width:], rows, count)
		return
	}
	dsp.Spread(dst[t:], total, rows[:s.width*dsp.Lanes], count)
}

// normalise takes off means and divides by deviations, as the options say.
func (s *Spectrogram) normalise(x []float32) {
	mean, std := s.o.Mean, s.o.Std
	if s.o.Whiten {
		var sum, squares float64
		for _, v := range x {
			sum += float64(v)
		}
		mean = sum / float64(len(x))
		for _, v := range x {
			squares += (float64(v) - mean) * (float64(v) - mean)
		}
		std = math.Sqrt(squares/float64(len(x))) + 1e-9
	}
	if mean == 0 && std == 1 {
		return
	}
	for i, v := range x {
		x[i] = float32((float64(v) - mean) / std)
	}
}

// span returns the samples of count frames from t on: of the waveform where it holds all of them, else with what lies beyond its ends.
func (s *Spectrogram) span(wave []float32, t, count int) []float32 {
	first, n := t*s.o.Hop-s.side, (count-1)*s.o.Hop+s.o.NFFT
	if first >= 0 && first+n <= len(wave) {
		return wave[first:]
	}
	b := s.edge[:n]
	from, to := min(max(-first, 0), n), min(max(len(wave)-first, 0), n)
	clear(b[:from])
	clear(b[to:])
	copy(b[from:to], wave[min(max(first, 0), len(wave)):])
	if s.o.Padding != Reflect {
		return b // beyond the ends all is zero
	}
	for i := range from {
		b[i] = wave[-(first + i)]
	}
	last := len(wave) - 1
	for i := to; i < n && first+i <= last+s.side; i++ {
		b[i] = wave[2*last-(first+i)]
	}
	return b
}

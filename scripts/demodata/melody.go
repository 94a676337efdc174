package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// rate and length of a sound: half a second, in frames.
const (
	rate   = 8000
	length = rate / 2
)

// contours are the courses of the pitch, in octaves about its middle, over the time 0 to 1 of a melody.
var contours = []func(t float64) float64{
	func(t float64) float64 { return t - 0.5 },                          // rising
	func(t float64) float64 { return 0.5 - t },                          // falling
	func(t float64) float64 { return 0.5 - 2*math.Abs(t-0.5) },          // up and down
	func(t float64) float64 { return 2*math.Abs(t-0.5) - 0.5 },          // down and up
	func(t float64) float64 { return 0.5 * math.Round(2*t-0.5-1e-9*t) }, // a step
}

// melody makes the sound of a class: a contour, steady in the even classes and pulsing in the odd ones. The pitch, the start, the speed
// of the pulse, the overtones and the loudness are drawn, so none of them tells the class; background noise lies 4 to 14 dB
// below. A noisy one is noise, with the melody at the share signal of its amplitude.
func melody(r *rand.Rand, class int, noisy bool, signal float64) []float64 {
	middle := 700 * math.Exp2((r.Float64()*2-1)*0.4) // Hz
	start, duration := 0.08*r.Float64(), 0.34+0.06*r.Float64()
	pulse, pulsePhase := 11+4*r.Float64(), 2*math.Pi*r.Float64()
	second, third := 0.5*r.Float64(), 0.3*r.Float64()
	loudness := 0.2 * math.Exp2(r.Float64())
	noise := loudness * math.Pow(10, -(4+10*r.Float64())/20)
	if noisy {
		noise, loudness = 0.25, 0.25*signal
	}
	contour, pulsing := contours[class/2], class%2 == 1
	x, phase := make([]float64, length), 2*math.Pi*r.Float64()
	for i := range x {
		x[i] = noise * r.NormFloat64()
		t := (float64(i)/rate - start) / duration
		if t < 0 || t > 1 {
			continue
		}
		phase += 2 * math.Pi / rate * middle * math.Exp2(1.2*contour(t))
		envelope := min(1, 20*t, 20*(1-t)) // no clicks
		if pulsing {
			envelope *= 0.5 + 0.5*math.Tanh(4*math.Sin(2*math.Pi*pulse*t*duration+pulsePhase))
		}
		x[i] += math.Sqrt2 * loudness * envelope * (math.Sin(phase) + second*math.Sin(2*phase) + third*math.Sin(3*phase))
	}
	return x
}

// encodeWAV lays x out as a mono file of 16-bit PCM; beyond -1 to 1 it is clipped.
func encodeWAV(x []float64) []byte {
	le := binary.LittleEndian
	bytes := uint32(2 * len(x))
	b := append(le.AppendUint32([]byte("RIFF"), 36+bytes), "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = le.AppendUint32(le.AppendUint32(b, rate), 2*rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, bytes)
	for _, v := range x {
		b = le.AppendUint16(b, uint16(int16(math.Round(32767*min(max(v, -1), 1)))))
	}
	return b
}

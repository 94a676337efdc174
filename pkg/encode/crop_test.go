package encode

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/rng"
)

// ramp is a wav at 1000 samples a second whose samples count up from 0.
func ramp(frames int) []byte {
	b := tone(1000, frames, 0)
	for i := range frames {
		b[44+2*i], b[45+2*i] = byte(i), byte(i>>8)
	}
	return b
}

// counts reads a wave made of ramp.
func counts(t *testing.T, tensor any) []int {
	t.Helper()
	var n []int
	for _, v := range tensor.([]float32) {
		n = append(n, int(math.Round(float64(v)*32768)))
	}
	return n
}

// cropped opens a list of sounds of so many samples with settings, and returns each row's numbers.
func cropped(t *testing.T, settings string, threads int, frames ...int) [][]int {
	t.Helper()
	dir := t.TempDir()
	list := "id,sound\n"
	for i, n := range frames {
		write(t, dir, fmt.Sprintf("%d.wav", n), ramp(n))
		list += fmt.Sprintf("r%d,%d.wav\n", i, n)
	}
	m, err := openKinds(t, dir, list, map[string]string{"audio": strings.TrimSuffix("sound:transform=wave,rate=1000,seconds=0.1,"+settings, ",")})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rows, err := all(t, m, threads)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]int
	for _, r := range rows {
		all = append(all, counts(t, r.Tensors[0]))
	}
	return all
}

// upTo are the numbers of a run that goes on at 0 after n.
func upTo(first, n int) []int {
	run := make([]int, 100)
	for i := range run {
		run[i] = (first + i) % n
	}
	return run
}

// The part that is drawn is a run of the sound, where the seed and the sample's id say, whatever the threads.
func TestCropRandom(t *testing.T) {
	frames := slices.Repeat([]int{1000}, 200)
	rows := cropped(t, "crop=random:7", 1, frames...)
	firsts := map[int]bool{}
	sum := 0.0
	for i, row := range rows {
		want := int(rng.Stream(7, "sound", fmt.Sprintf("r%d", i)).Float64() * 901)
		if !slices.Equal(row, upTo(want, 1000)) {
			t.Fatalf("row %d: begins with %v, want %d", i, row[:3], want)
		}
		firsts[row[0]] = true
		sum += float64(row[0])
	}
	// 200 draws out of 901 places: some 180 differ (901 (1 - e^-0.222)), and their mean is 450 with a deviation of 260/sqrt(200) = 18.
	if len(firsts) < 150 || math.Abs(sum/200-450) > 5*18 {
		t.Errorf("%d places, their mean %v", len(firsts), sum/200)
	}
	if again := cropped(t, "crop=random:7", 3, frames...); !reflect.DeepEqual(again, rows) {
		t.Error("three threads: other parts")
	}
	if other := cropped(t, "crop=random:8", 1, frames...); reflect.DeepEqual(other, rows) {
		t.Error("another seed: the same parts")
	}
}

// Shorter sounds are filled up as fit says, or repeated up to the seconds that the part is drawn from.
func TestCropShort(t *testing.T) {
	row := cropped(t, "crop=random:1", 1, 60)[0]
	if want := append(upTo(0, 1000)[:60], make([]int, 40)...); !slices.Equal(row, want) {
		t.Errorf("padded: got %v", row)
	}
	for settings, first := range map[string]int{"": 0, "fit=repeat": 0, "fit=centre": 450} { // without a draw
		if row := cropped(t, settings, 1, 1000)[0]; !slices.Equal(row, upTo(first, 1000)) {
			t.Errorf("%q of a longer sound: begins with %v, want %d", settings, row[:3], first)
		}
	}
	if row := cropped(t, "crop=random:1,fit=repeat", 1, 60)[0]; !slices.Equal(row, upTo(0, 60)) {
		t.Errorf("repeated: got %v", row)
	}
	share := rng.Stream(1, "sound", "r0").Float64()
	within := int(share * 101) // of 200 samples, 100 of which are taken
	for _, n := range []int{7, 60, 150, 199, 200, 5000} {
		if row := cropped(t, "crop=random:1,within=0.2", 1, n)[0]; !slices.Equal(row, upTo(within%n, n)) {
			t.Errorf("%d samples: begins with %v, want %d", n, row[:3], within%n)
		}
	}
}

// A sound that ffmpeg decodes is cut as the same wav is.
func TestCropOfClips(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.wav", tone(8000, 9000, 440))
	ffmpegs(t, dir, "-i a.wav a.flac")
	for _, settings := range []string{"crop=random:3", "crop=random:3,within=0.4", "crop=random:3,within=3", "fit=centre"} {
		m, err := openKinds(t, dir, "id,left,right\nx,a.wav,a.flac\n", map[string]string{"audio": "left:rate=16000,seconds=0.3," + settings})
		if err != nil {
			t.Fatal(err)
		}
		other, err := openKinds(t, dir, "id,left,right\nx,a.wav,a.flac\n", map[string]string{"audio": "right:rate=16000,seconds=0.3," + settings})
		if err != nil {
			t.Fatal(err)
		}
		left, err := all(t, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		right, err := all(t, other, 1)
		if err != nil || !reflect.DeepEqual(left, right) {
			t.Errorf("%s: the flac is not what the wav is, %v", settings, err)
		}
		m.Close()
		other.Close()
	}
}

func TestCropRefused(t *testing.T) {
	for text, want := range map[string]string{
		"crop=random": "crop=random: want start or random:SEED", "crop=random:-1": "want start or random:SEED", "crop=middle": "want start or random:SEED",
		"within=3": "within=3: want crop=random:SEED beside it",
	} {
		if _, err := soundKind.ParseSpec("wav:"+text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	dir := t.TempDir()
	write(t, dir, "a.wav", ramp(10))
	for text, want := range map[string]string{
		"crop=random:1,fit=centre": "want one of both", "crop=random:1,within=0.5": "within 0.5 seconds: want 1 or more", "crop=random:1,within=1e9": "no more than",
	} {
		if m, err := openKinds(t, dir, "id,wav\nx,a.wav\n", map[string]string{"audio": "wav:" + text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
			m.Close()
		}
	}
}

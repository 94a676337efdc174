package e2e

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// download lays a data set out as its authors' download does: two classes of clips, four to train on and two to test on, all of a class
// alike, with the lists in their published form.
type download struct {
	ts    *testscript.TestScript
	root  string // folder of the set
	media [2]clipMedia
}

// downloads lays out every data set of docs/recipes.md in the script's folder. Where there is no ffmpeg there are no videos.
func downloads(ts *testscript.TestScript, _ bool, _ []string) {
	var media [2]clipMedia
	for class := range media {
		media[class] = makeMedia(ts, class)
	}
	for root, lay := range map[string]func(download){
		"ks": kineticsSounds, "KineticSound": kineticsSoundsLists, "k400": kinetics400, "VGGSound": vggSound, "MM-Debiased": mmDebiased,
		"ucf101": ucf101, "CREMA-D": cremad, "AVE_Dataset": ave, "my-clips": folder, "mmaction": rawframes,
	} {
		lay(download{ts, root, media})
	}
}

// put writes a file below the set's folder, or nothing for nil.
func (d download) put(name string, data []byte) {
	if data == nil {
		return
	}
	name = d.ts.MkAbs(path.Join(d.root, name))
	d.ts.Check(os.MkdirAll(filepath.Dir(name), 0o777))
	d.ts.Check(os.WriteFile(name, data, 0o666))
}

// frames writes a folder of frames: a name with a number in it each.
func (d download) frames(pattern string, frames [][]byte) {
	for i, data := range frames {
		d.put(fmt.Sprintf(pattern, i+1), data)
	}
}

// sample is a clip of a set.
type sample struct {
	n, class int
	split    string // train or test
	video    string // as YouTube names one
	start    int    // seconds
}

// samples are the six of a set: of each class two to train on and one to test on.
func (d download) samples() []sample {
	var all []sample
	for n := range 6 {
		all = append(all, sample{n, n % 2, []string{"train", "train", "test"}[n/2], fmt.Sprintf("a_cdefg-i%02d", n), 30 + n})
	}
	return all
}

// id is the name of a clip of Kinetics.
func (s sample) id() string { return fmt.Sprintf("%s_%06d_%06d", s.video, s.start, s.start+10) }

// kineticsSounds is as the published dataloader reads it: spectrograms and frames a second apart (Wei et al., code/datasets/dataloader.py).
func kineticsSounds(d download) {
	lists := map[string]string{}
	for _, s := range d.samples() {
		d.put(fmt.Sprintf("ks_audio/%s/%s.npy", s.split, s.id()), spectrogram(s.class))
		d.frames(fmt.Sprintf("ks_visual/%s/%s/frame_%%05d.jpg", s.split, s.id()), d.media[s.class].frames)
		lists[s.split] += fmt.Sprintf("/data/kinetics/%s/%s %d\n", s.split, s.id(), s.class)
	}
	for split, text := range lists {
		d.put("ks_audio/"+split+"_1fps_path.txt", []byte(text))
	}
}

// kineticsSoundsLists are the other lists of Kinetics-Sounds, of clips of Kinetics-400 (OGM-GE, data/KineticSound).
func kineticsSoundsLists(d download) {
	lists := map[string]string{}
	for _, s := range d.samples() {
		lists[s.split] += fmt.Sprintf("%s,10,%d\n", s.id(), s.class)
	}
	for split, text := range lists {
		d.put("my_"+split+".txt", []byte(text))
	}
}

// kinetics400 is as the CVD Foundation's archives make it; one clip is gone.
func kinetics400(d download) {
	lists := map[string]string{}
	for _, s := range d.samples() {
		split := map[string]string{"train": "train", "test": "val"}[s.split]
		if s.n != 3 {
			d.put(split+"/"+s.id()+".mp4", d.media[s.class].mp4)
		}
		lists[split] += fmt.Sprintf("%s,%s,%d,%d,%s\n", []string{"bowling", "playing violin"}[s.class], s.video, s.start, s.start+10, split)
	}
	for split, text := range lists {
		d.put("annotations/"+split+".csv", []byte("label,youtube_id,time_start,time_end,split\n"+text))
	}
}

// vggSound is vggsound.csv and a folder of videos; one clip is gone.
func vggSound(d download) {
	var list strings.Builder
	for _, s := range d.samples() {
		if s.n != 2 {
			d.put(fmt.Sprintf("video/%s_%06d.mp4", s.video, s.start), d.media[s.class].mp4)
		}
		fmt.Fprintf(&list, "%s,%d,%q,%s\n", s.video, s.start, []string{"bowling impact", "playing violin, fiddle"}[s.class], s.split)
	}
	d.put("vggsound.csv", []byte(list.String()))
}

// mmDebiased points into the downloads of VGGSound and Kinetics-400.
func mmDebiased(d download) {
	var clips []string
	for _, s := range d.samples() {
		id := fmt.Sprintf("%s_%d", s.video, s.start)
		if s.n%3 == 0 {
			id = s.id()
			d.put("kinetics400/train/"+id+".mp4", d.media[s.class].mp4)
		} else {
			d.put(fmt.Sprintf("vggsound/video/%s_%06d.mp4", s.video, s.start), d.media[s.class].mp4)
		}
		clips = append(clips, fmt.Sprintf("%q: {\"subset\": %q, \"label\": %q}", id, s.split+"ing", []string{"bowling", "singing"}[s.class]))
	}
	d.put("MM-Debiased.json", []byte("{"+strings.Join(clips, ", ")+"}"))
}

// ucf101 is the videos and lists of its authors, and the flow of Feichtenhofer's download.
func ucf101(d download) {
	classes, lists := []string{"ApplyEyeMakeup", "Archery"}, map[string]string{}
	for _, s := range d.samples() {
		name := fmt.Sprintf("v_%s_g%02d_c01", classes[s.class], s.n+1)
		d.put(fmt.Sprintf("UCF-101/%s/%s.avi", classes[s.class], name), d.media[s.class].avi)
		d.frames("tvl1_flow/u/"+name+"/frame%06d.jpg", d.media[s.class].flowX)
		d.frames("tvl1_flow/v/"+name+"/frame%06d.jpg", d.media[s.class].flowY)
		line := fmt.Sprintf("%s/%s.avi", classes[s.class], name)
		if s.split == "train" {
			line += fmt.Sprintf(" %d", s.class+1)
		}
		lists[s.split] += line + "\r\n"
	}
	d.put("ucfTrainTestlist/classInd.txt", []byte("1 ApplyEyeMakeup\r\n2 Archery\r\n"))
	for split, text := range lists {
		d.put("ucfTrainTestlist/"+split+"list01.txt", []byte(text))
	}
}

// rawframes is as MMAction's tools extract UCF-101 (mmaction2, tools/data/ucf101), with its annotations.
func rawframes(d download) {
	classes, lists := []string{"ApplyEyeMakeup", "Archery"}, map[string]string{}
	for _, s := range d.samples() {
		name := fmt.Sprintf("%s/v_%[1]s_g%02d_c01", classes[s.class], s.n+1)
		m := d.media[s.class]
		for prefix, pictures := range map[string][][]byte{"img": m.frames, "flow_x": m.flowX, "flow_y": m.flowY} {
			d.frames("rawframes/"+name+"/"+prefix+"_%05d.jpg", pictures)
		}
		lists[map[string]string{"train": "train", "test": "val"}[s.split]] += fmt.Sprintf("%s %d %d\n", name, len(m.frames), s.class)
	}
	for split, text := range lists {
		d.put("ucf101_"+split+"_split_1_rawframes.txt", []byte(text))
	}
}

// cremad is as its authors' download, with OGM-GE's lists.
func cremad(d download) {
	lists := map[string]string{}
	for _, s := range d.samples() {
		class := []string{"NEU", "HAP"}[s.class]
		name := fmt.Sprintf("10%02d_IEO_%s_XX", s.n+1, class)
		d.put("AudioWAV/"+name+".wav", d.media[s.class].wav)
		d.put("VideoFlash/"+name+".flv", d.media[s.class].flv)
		lists[s.split] += name + "," + class + "\n"
	}
	for split, text := range lists {
		d.put(split+".csv", []byte(text))
	}
}

// ave is as its authors' archive; the lists by split have no heading, that of all clips has one.
func ave(d download) {
	lists := map[string]string{}
	for _, s := range d.samples() {
		d.put("AVE/"+s.video+".mp4", d.media[s.class].mp4)
		line := fmt.Sprintf("%s&%s&good&0&%d\n", []string{"Church bell", "Violin, fiddle"}[s.class], s.video, 5+s.n)
		lists[s.split+"Set"] += line
		lists["Annotations"] += line
	}
	lists["Annotations"] = "Category&VideoID&Quality&StartTime&EndTime\n" + lists["Annotations"]
	for name, text := range lists {
		d.put(name+".txt", []byte(text))
	}
}

// folder is of nobody's making: SPLIT/CLASS/CLIP.wav, and folders of frames.
func folder(d download) {
	for _, s := range d.samples() {
		name := fmt.Sprintf("%s/%s/clip%d", s.split, []string{"bowling", "singing"}[s.class], s.n)
		d.put(name+".wav", d.media[s.class].wav)
		d.frames(name+"/frame_%d.jpg", d.media[s.class].frames)
	}
}

package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"mmtools/pkg/stream"
)

// Small lists of our own in the shapes of the published ones.
var small = fstest.MapFS{
	"ks/my_train.txt":             file("--4-0ihtnBU_000058_000068,10,4\r\nabcdefghijk_000000_000010,10,30\r\n"),
	"ks/my_test.txt":              file("-3Mwkq-7TV4_2,10,23\r\n"),
	"paths/train_1fps_path.txt":   file("/data/ks/abcdefghijk_000001_000011 7\n"),
	"paths/val_1fps_path.txt":     file("/data/ks/abcdefghij-_000001_000011.mp4 8\n"),
	"paths/test_1fps_path.txt":    file("renamed-clip.wav 0\n"),
	"ucf/classInd.txt":            file("1 Archery\r\n2 Biking\r\n"),
	"ucf/trainlist01.txt":         file("Archery/v_Archery_g08_c01.avi 1\r\nBiking/v_Biking_g08_c01.avi 2\r\n"),
	"ucf/testlist01.txt":          file("Biking/v_Biking_g01_c01.avi\r\n"),
	"ucf/trainlist03.txt":         file("Biking/v_Biking_g01_c01.avi 2\n"),
	"ucf/testlist03.txt":          file("Archery/v_Archery_g08_c01.avi\n"),
	"mm/MM-Debiased.json":         file(`{"abcdefghijk_20": {"subset": "validation", "label": "lawn mowing"}, "abcdefghijk_000168_000178": {"subset": "training", "label": "bowling"}, "xbcdefghijk": {"label": "bowling", "subset": "testing"}}`),
	"vgg/vggsound.csv":            file("---g-f_I2yQ,1,\"people, marching\",test\n--0PQM4-hqg,30,waterfall burbling,train\n"),
	"k400/train.csv":              file("label,youtube_id,time_start,time_end,split\ntesting guitar,---QUuC4vJs,84,94,train\n\"air, drumming\",--3ouPhoy2A,20,30,train\n"),
	"k400/val.csv":                file("label,youtube_id,time_start,time_end,split\ntesting guitar,--07WQ2iBlw,1,11,validate\n"),
	"cremad/train.csv":            file("\ufeff1001_IEO_NEU_XX,NEU\r\n1001_IEO_ANG_LO,ANG\r\n"),
	"cremad/test.csv":             file("1002_IEO_HAP_LO,HAP\r\n"),
	"ave/Annotations.txt":         file("Category&VideoID&Quality&StartTime&EndTime\nChurch bell&RUhOCu3LNXM&good&0&10\nBanjo&RUhOCu3LNXM&good&6&8\nBanjo&2An2JMGMbbs&good&3&3\n"),
	"officialave/trainSet.txt":    file("Banjo&2An2JMGMbbs&good&0&10\n"),
	"officialave/testSet.txt":     file("Church bell&RUhOCu3LNXM&good&0&10\n"),
	"officialave/Annotations.txt": file("Banjo&2An2JMGMbbs&good&0&10\nChurch bell&RUhOCu3LNXM&good&0&10\n"),
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func sub(t *testing.T, folder string) fs.FS {
	t.Helper()
	s, err := fs.Sub(small, folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSmallLists(t *testing.T) {
	for _, test := range []struct {
		name, folder string
		o            Options
		classes      string
		want         []string // id class split start-end
	}{
		{"kinetics-sounds", "ks", Options{}, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30",
			[]string{"--4-0ihtnBU_000058_000068|4|train|58", "abcdefghijk_000000_000010|30|train|0", "-3Mwkq-7TV4_2|23|test|2"}},
		{"kinetics-sounds", "paths", Options{Classes: []string{"8", "0"}}, "8 0",
			[]string{"abcdefghij-_000001_000011|8|validation|1", "renamed-clip|0|test|0"}},
		{"ucf101", "ucf", Options{}, "Archery Biking",
			[]string{"v_Archery_g08_c01|Archery|train|0", "v_Biking_g08_c01|Biking|train|0", "v_Biking_g01_c01|Biking|test|0"}},
		{"ucf101", "ucf", Options{Fold: 3}, "Archery Biking", []string{"v_Biking_g01_c01|Biking|train|0", "v_Archery_g08_c01|Archery|test|0"}},
		{"mm-debiased", "mm", Options{}, "bowling,lawn mowing",
			[]string{"abcdefghijk_20|lawn mowing|validation|20", "abcdefghijk_000168_000178|bowling|train|168", "xbcdefghijk|bowling|test|0"}},
		{"vggsound", "vgg", Options{}, "people, marching,waterfall burbling",
			[]string{"---g-f_I2yQ_000001|people, marching|test|1", "--0PQM4-hqg_000030|waterfall burbling|train|30"}},
		{"kinetics400", "k400", Options{}, "air, drumming,testing guitar",
			[]string{"---QUuC4vJs_000084_000094|testing guitar|train|84", "--3ouPhoy2A_000020_000030|air, drumming|train|20", "--07WQ2iBlw_000001_000011|testing guitar|validation|1"}},
		{"cremad", "cremad", Options{}, "NEU HAP SAD FEA DIS ANG", []string{"1001_IEO_NEU_XX|NEU|train|0", "1001_IEO_ANG_LO|ANG|train|0", "1002_IEO_HAP_LO|HAP|test|0"}},
		{"ave", "ave", Options{}, "Banjo,Church bell", []string{"RUhOCu3LNXM|Church bell||0", "RUhOCu3LNXM#2|Banjo||6", "2An2JMGMbbs|Banjo||0"}},
		{"ave", "officialave", Options{}, "Banjo,Church bell", []string{"2An2JMGMbbs|Banjo|train|0", "RUhOCu3LNXM|Church bell|test|0"}},
	} {
		t.Run(test.folder, func(t *testing.T) {
			s, err := Open(test.name, sub(t, test.folder), "", test.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.Classes, ","); got != test.classes && strings.Join(s.Classes, " ") != test.classes {
				t.Errorf("classes %s, want %s", got, test.classes)
			}
			var got []string
			for _, e := range s.Entries {
				got = append(got, strings.Join([]string{e.ID, e.Class, e.Split, formatSeconds(e.Start)}, "|"))
				if e.Place == "" {
					t.Errorf("%s has no place", e.ID)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

func formatSeconds(s float64) string { return strconv.FormatFloat(s, 'g', -1, 64) }

func TestCandidates(t *testing.T) {
	for _, test := range []struct {
		name, folder string
		entry        int
		media        Media
		want         []string // in this order, among others
	}{
		{"kinetics-sounds", "ks", 0, Features, []string{"ks_audio/train/--4-0ihtnBU_000058_000068.npy", "train_spec/--4-0ihtnBU_000058_000068.npy"}},
		{"kinetics-sounds", "ks", 0, Frames, []string{"ks_visual/train/--4-0ihtnBU_000058_000068", "train/--4-0ihtnBU_000058_000068"}},
		{"kinetics-sounds", "ks", 2, Video, []string{"test/-3Mwkq-7TV4_000002_000012.mp4", "test/-3Mwkq-7TV4_2.mp4"}},
		{"kinetics400", "k400", 0, Video, []string{"train/---QUuC4vJs_000084_000094.mp4", "train/testing guitar/---QUuC4vJs_000084_000094.mp4", "videos_train/testing_guitar/---QUuC4vJs_000084_000094.mp4"}},
		{"kinetics400", "k400", 2, Video, []string{"val/--07WQ2iBlw_000001_000011.mp4", "validation/--07WQ2iBlw_000001_000011.mp4"}},
		{"vggsound", "vgg", 1, Video, []string{"video/--0PQM4-hqg_000030.mp4", "train-videos/train-set/--0PQM4-hqg_30.mp4"}},
		{"vggsound", "vgg", 1, Audio, []string{"train-audios/train-set/--0PQM4-hqg_30.wav", "audio/--0PQM4-hqg_000030.wav"}},
		{"mm-debiased", "mm", 0, Video, []string{"vggsound/video/abcdefghijk_000020.mp4", "video/abcdefghijk_000020.mp4"}},
		{"mm-debiased", "mm", 1, Video, []string{"kinetics400/train/abcdefghijk_000168_000178.mp4", "k400/val/bowling/abcdefghijk_000168_000178.mp4"}},
		{"mm-debiased", "mm", 2, Video, []string{"kinetics400/test/xbcdefghijk.mp4", "xbcdefghijk.mp4"}},
		{"ucf101", "ucf", 0, Video, []string{"UCF-101/Archery/v_Archery_g08_c01.avi", "Archery/v_Archery_g08_c01.avi"}},
		{"ucf101", "ucf", 0, FlowX, []string{"tvl1_flow/u/v_Archery_g08_c01"}},
		{"cremad", "cremad", 0, Audio, []string{"AudioWAV/1001_IEO_NEU_XX.wav"}},
		{"ave", "ave", 1, Video, []string{"AVE/RUhOCu3LNXM.mp4"}},
	} {
		s, err := Open(test.name, sub(t, test.folder), "", Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := s.Candidates(&s.Entries[test.entry], test.media)
		last := -1
		for _, want := range test.want {
			i := slices.Index(got, want)
			if i <= last {
				t.Errorf("%s: %s: %s is at %d of %v", test.name, test.media, want, i, got)
			}
			last = i
		}
		for _, path := range got {
			if !filepath.IsLocal(path) || strings.ContainsAny(path, "{}") {
				t.Errorf("%s: %s: candidate %q", test.name, test.media, path)
			}
		}
	}
}

func TestBadLists(t *testing.T) {
	for _, test := range []struct{ name, file, text, want string }{
		{"kinetics-sounds", "my_train.txt", "abcdefghijk_1,10,4\nabcdefghijk_1,10,x\n", `my_train.txt: line 2: label "x"`},
		{"kinetics-sounds", "my_train.txt", "abcdefghijk_1\n", "line 1: want PATH LABEL"},
		{"kinetics-sounds", "my_train.txt", "abcdefghijk_1,10,4\nabcdefghijk_1,10,5\n", `line 2: id "abcdefghijk_1" is also that of my_train.txt: line 1`},
		{"kinetics-sounds", "my_train.txt", "../.. 1\n", "is no id"},
		{"kinetics-sounds", "my_train.txt", "a\xff 1\n", "line 1: not UTF-8"},
		{"kinetics-sounds", "my_train.txt", "\n", "hold no clip"},
		{"kinetics-sounds", "my_train.txt", strings.Repeat("a", maxLine+1), "line 1: more than 65536 bytes"},
		{"mm-debiased", "MM-Debiased.json", `{"abcdefghijk_1": {"subset": "training", "label": "x"}`, "after 1 clips: ends in the middle"},
		{"mm-debiased", "MM-Debiased.json", `{"abcdefghijk_1": {"subset": "all", "label": "x"}}`, `"all" is no split`},
		{"mm-debiased", "MM-Debiased.json", `{"short_1": {"subset": "training", "label": "x"}}`, `"short_1" is no clip`},
		{"mm-debiased", "MM-Debiased.json", `{"abcdefghijk_1": {"subset": "training", "label": "a/../b"}}`, "is no class"},
		{"mm-debiased", "MM-Debiased.json", `[]`, "want an object"},
		{"vggsound", "vggsound.csv", "abcdefghijk,1,x,train\nabcdefghijk,-1,x,train\n", `line 2: "-1": want seconds`},
		{"vggsound", "vggsound.csv", "abcdefghijk,1,x\n", "line 1: 3 fields"},
		{"vggsound", "vggsound.csv", "abcdefghijk,1,\"x,train\n", "vggsound.csv: line"},
		{"kinetics400", "train.csv", "a,b\n", `line 1: no column "label"`},
		{"kinetics400", "train.csv", "label,youtube_id,time_start,time_end\nx,abcdefghijk,5,5\n", "line 2: the clip ends before it starts"},
		{"kinetics400", "train.csv", "label,youtube_id,time_start,time_end\nx,abcdefghijk\n", "line 2: 2 fields"},
		{"cremad", "train.csv", "1001_IEO_NEU_XX,HAPPY\n", `line 1: class "HAPPY"`},
		{"ave", "Annotations.txt", "Banjo&2An2JMGMbbs&good&0\n", "line 1: 4 fields"},
		{"ave", "Annotations.txt", "Banjo&2An2JMGMbbs&good&6&5\n", "line 1: the event ends before it starts"},
		{"ucf101", "classInd.txt", "2 Archery\n", "line 1: want 1 CLASS"},
	} {
		_, err := Open(test.name, fstest.MapFS{test.file: file(test.text)}, "", Options{})
		if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %.40q: got %v, want an input error with %q", test.name, test.text, err, test.want)
		}
	}
	for _, name := range Names() {
		if _, err := Open(name, fstest.MapFS{}, "", Options{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s without lists: %v", name, err)
		}
	}
	if _, err := Open("imagenet", fstest.MapFS{}, "", Options{}); err == nil || !strings.Contains(err.Error(), "ucf101") {
		t.Errorf("an unknown set: %v", err)
	}
	if _, err := Open("vggsound", sub(t, "vgg"), "", Options{Classes: []string{"singing"}}); err == nil || !strings.Contains(err.Error(), "no class \"singing\"") {
		t.Errorf("an unknown class: %v", err)
	}
}

// The counts that the READMEs of the published lists give.
func TestPublishedLists(t *testing.T) {
	root := os.Getenv("MM_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	for _, test := range []struct {
		name, folder            string
		fold                    int
		classes                 int
		train, validation, test int
		none                    int
	}{
		{"kinetics-sounds", "kinetics_sounds", 0, 31, 14799, 0, 2597, 0},
		{"ucf101", "ucf101", 1, 101, 9537, 0, 3783, 0},
		{"ucf101", "ucf101", 2, 101, 9586, 0, 3734, 0},
		{"ucf101", "ucf101", 3, 101, 9624, 0, 3696, 0},
		{"mm-debiased", "mm_debiased", 0, 10, 11368, 1185, 1472, 0},
		{"cremad", "cremad", 0, 6, 6698, 0, 744, 0},
		{"ave", "ave", 0, 28, 0, 0, 0, 4143},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(root, "data/lists", test.folder)
			if _, err := os.Stat(folder); err != nil {
				t.Skipf("the published lists are not here: %v", err)
			}
			s, err := Open(test.name, os.DirFS(folder), "", Options{Fold: test.fold})
			if err != nil {
				t.Fatal(err)
			}
			counts := map[string]int{}
			for _, e := range s.Entries {
				counts[e.Split]++
			}
			if len(s.Classes) != test.classes || counts[Train] != test.train || counts[Validation] != test.validation || counts[Test] != test.test || counts[""] != test.none {
				t.Errorf("%d classes, clips %v, want %d classes and %d, %d, %d, %d", len(s.Classes), counts, test.classes, test.train, test.validation, test.test, test.none)
			}
		})
	}
}

// No list makes a reader panic, and what is read keeps its promises: unique ids, classes of the set, paths that stay in the folder.
func FuzzLists(f *testing.F) {
	names := map[string]string{"kinetics-sounds": "my_train.txt", "mm-debiased": "MM-Debiased.json", "vggsound": "vggsound.csv",
		"kinetics400": "train.csv", "cremad": "train.csv", "ave": "Annotations.txt"}
	for name, list := range names {
		for path, file := range small {
			if strings.HasSuffix(path, "/"+list) {
				f.Add(name, file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		s, err := Open(name, fstest.MapFS{names[name]: {Data: data}}, "", Options{})
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i := range s.Entries {
			e := &s.Entries[i]
			if seen[e.ID] || !slices.Contains(s.Classes, e.Class) {
				t.Fatalf("%+v", e)
			}
			seen[e.ID] = true
			for _, m := range AllMedia {
				for _, path := range s.Candidates(e, m) {
					if !filepath.IsLocal(path) {
						t.Fatalf("%+v may lie at %q", e, path)
					}
				}
			}
		}
	})
}

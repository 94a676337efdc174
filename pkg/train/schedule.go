package train

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Schedule gives the learning rate of each epoch from the base rate.
type Schedule struct {
	kind  string
	every int     // step: epochs between drops; cosine: epochs to the end
	value float64 // step: factor of a drop; cosine: the last learning rate
}

// ParseSchedule reads constant, step:EVERY:FACTOR (torch StepLR) or cosine:EPOCHS[:LAST] (torch CosineAnnealingLR, in
// its closed form).
func ParseSchedule(s string) (Schedule, error) {
	fields := strings.Split(s, ":")
	bad := fmt.Errorf("schedule %q: want constant, step:EVERY:FACTOR or cosine:EPOCHS[:LAST]", s)
	out := Schedule{kind: fields[0]}
	switch {
	case s == "" || s == "constant":
		out.kind = "constant"
		return out, nil
	case fields[0] == "step" && len(fields) == 3, fields[0] == "cosine" && (len(fields) == 2 || len(fields) == 3):
	default:
		return Schedule{}, bad
	}
	every, err := strconv.Atoi(fields[1])
	if err != nil || every < 1 {
		return Schedule{}, bad
	}
	out.every = every
	if len(fields) == 3 {
		out.value, err = strconv.ParseFloat(fields[2], 64)
		if err != nil || math.IsNaN(out.value) || math.IsInf(out.value, 0) || out.value < 0 {
			return Schedule{}, bad
		}
	}
	return out, nil
}

// LR returns the learning rate of an epoch, 0 for the first.
func (s Schedule) LR(base float64, epoch int) float64 {
	switch s.kind {
	case "step":
		return base * math.Pow(s.value, float64(epoch/s.every))
	case "cosine":
		return s.value + (base-s.value)*(1+math.Cos(math.Pi*float64(epoch)/float64(s.every)))/2
	default:
		return base
	}
}

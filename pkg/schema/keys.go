package schema

// Metadata keys of single kinds.
const (
	keySpec   = "mm.spec"
	keyState  = "mm.state"
	keySHA256 = "mm.sha256"

	keyValue        = "mm.value"
	keyEstimator    = "mm.estimator"
	keyPermutations = "mm.permutations"
	keyBaseline     = "mm.baseline"

	keyMethod   = "mm.method"
	keyStrength = "mm.strength"
	keyShuffle  = "mm.shuffle"

	keyEpoch = "mm.epoch"
)

package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// hasher computes HashTensors of tensors that come one by one, on a goroutine of its own.
type hasher struct {
	tensors chan Tensor
	sum     chan string
	once    sync.Once
	result  string
}

// newHasher returns a hasher that add waits for where so many tensors are still to hash.
func newHasher(pending int) *hasher {
	h := &hasher{tensors: make(chan Tensor, pending), sum: make(chan string, 1)}
	go func() {
		hash := sha256.New()
		for t := range h.tensors {
			hashRow(hash, t)
		}
		h.sum <- hex.EncodeToString(hash.Sum(nil))
	}()
	return h
}

// add adds a tensor, whose data must stay until stop.
func (h *hasher) add(t Tensor) { h.tensors <- t }

// stop waits for the hash and returns it. Stopping twice gives it again.
func (h *hasher) stop() string {
	h.once.Do(func() {
		close(h.tensors)
		h.result = <-h.sum
	})
	return h.result
}

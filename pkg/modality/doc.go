// Package modality names the players of the game: modalities and the coalitions they form.
//
// A sample is seen through modalities M = {0..n-1}; bit i of a Coalition says that modality i is
// present and the others are masked. The order of the bits is the order of the mm.modalities key of
// every stream.
package modality

// Package augment prepares the frames of a sample for a network: which frames, what part of them, at what size.
//
// A sample's frames, (T,C,H,W), become (n,C,h,w). In an evaluation the middle frame of each of n equal segments is resized
// whole. In training, as published (Wei et al., CVPR 2024, section 4, after torchvision), a frame is drawn from each
// segment, a part of 8 % to 100 % of its area and a side ratio of 3/4 to 4/3 is cut out at random (Szegedy et al. 2015)
// and resized, and half of the samples are mirrored. All frames of a sample are cut and mirrored alike.
//
// Resizing is bilinear and antialiased, as torchvision and PIL do it (package pixel). Values stay float32: they are not rounded
// to whole numbers between the two passes, as PIL's are.
//
// Cost: O(C h W + C h w) multiplications a frame for each tap of the filter. A Worker keeps the memory for one sample.
package augment

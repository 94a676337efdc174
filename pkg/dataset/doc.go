// Package dataset reads the published lists of multimodal data sets: which clips there are, of which class and split, and where the
// downloads that their authors offer put each clip's media. It opens no media, and no file but the lists.
//
//	kinetics-sounds  "PATH LABEL" and "ID,SECONDS,LABEL" a line, a file a split      github.com/GeWu-Lab/OGM-GE_CVPR2022
//	ucf101           classInd.txt, trainlist01-03.txt, testlist01-03.txt            crcv.ucf.edu/data/UCF101.php
//	mm-debiased      {"ID": {"subset": ..., "label": ...}}, ids of VGGSound and Kinetics-400
//	                                              github.com/GeWu-Lab/Valuate-and-Enhance-Multimodal-Cooperation
//	vggsound         ID,START,LABEL,SPLIT without a heading                         robots.ox.ac.uk/~vgg/data/vggsound
//	kinetics400      label,youtube_id,time_start,time_end,split                     github.com/cvdfoundation/kinetics-dataset
//	cremad           ID,LABEL without a heading, a file a split                      github.com/GeWu-Lab/OGM-GE_CVPR2022
//	ave              CLASS&ID&QUALITY&START&END                                      github.com/YapengTian/AVE-ECCV18
//
// A Set is in the order of its lists, training before validation before testing, and its classes are in a fixed order, so that streams of
// different splits, and of lists with clips taken out, agree in their labels.
package dataset

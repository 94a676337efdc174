// Package ffmpeg decodes sound and video of any kind by Debian's ffmpeg and ffprobe, found on the PATH and run as child processes.
//
//	tools, err := ffmpeg.Find()
//	sound, err := tools.Sound(ctx, file, ffmpeg.Cut{Duration: 10}, 1<<24, nil)   // mono float32, at the file's own rate
//	err = tools.Frames(ctx, file, ffmpeg.Spread(3, clip), 1<<26, emit)          // 3 frames of rgb24 over the clip, of up to 2^26 pixels
//
// A child gets the open file, not its name: what a name says, or a link that changes meanwhile, cannot lead it elsewhere. It may read
// local files in the formats of media alone, not playlists, which name other files. It writes to a pipe that is read as it comes,
// up to a bound; it dies, with all that it started, when the context ends or its time is over; and the last lines that it says are in the
// error. A file costs the start of a process.
package ffmpeg

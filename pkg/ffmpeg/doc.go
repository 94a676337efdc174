// Package ffmpeg decodes sound and video of any kind by Debian's ffmpeg and ffprobe, found on the PATH and run as child processes.
//
//	tools, err := ffmpeg.Find()
//	sound := &ffmpeg.SoundJob{File: file, Cut: ffmpeg.Cut{Duration: 10}, Limit: 1 << 24} // mono float32, at the file's own rate
//	frames := &ffmpeg.FramesJob{File: file, Choice: three, Limit: 1 << 26, Emit: emit}    // rgb24, of up to 2^26 pixels
//	err = tools.Decode(ctx, sound, frames)
//
// A child gets the open file, not its name: what a name says, or a link that changes meanwhile, cannot lead it elsewhere. It may read
// local files in the formats of media alone, not playlists, which name other files. It writes to a pipe that is read as it comes,
// up to a bound; on Linux its memory is bounded; it dies, with all that it started, when the context ends or its time is over; and the last lines that it says are in the
// error. The start of a process costs more than a short clip, which is why one may decode several.
package ffmpeg

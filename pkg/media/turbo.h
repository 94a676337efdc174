// libjpeg-turbo by its TurboJPEG interface, opened at run time: no header and no library is needed to build.
#ifndef MT_TURBO_H
#define MT_TURBO_H

#include <stddef.h>
#include <stdint.h>

typedef struct mt_turbo mt_turbo;

// mt_open returns a decompressor, or 0 and the reason in message, of size bytes.
mt_turbo *mt_open(char *message, size_t size);
void mt_close(mt_turbo *t);

// mt_decode writes a file's pixels, height rows of width pixels of 1 byte (grey), 3 (red, green, blue) or 4 (inks as stored), and
// returns 1; or 0 and the reason in message. The transform is the accurate one and chroma is interpolated: libjpeg's defaults.
int mt_decode(mt_turbo *t, uint8_t *out, int width, int height, int channels, const uint8_t *file, size_t bytes, char *message, size_t size);

#endif

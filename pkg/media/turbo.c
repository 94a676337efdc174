//go:build cgo && linux && (openblas || dnnl)

#include "turbo.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// What is used of turbojpeg.h, version 1.2 and later (libturbojpeg.so.0). tjhandle is a pointer.
enum { TJPF_RGB = 0, TJPF_GRAY = 6, TJPF_CMYK = 11, TJFLAG_ACCURATEDCT = 4096, TJERR_WARNING = 0 };

typedef void *tjhandle;

static struct {
	tjhandle (*init)(void);
	int (*header)(tjhandle, const unsigned char *, unsigned long, int *, int *, int *, int *);
	int (*decompress)(tjhandle, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
	char *(*error)(tjhandle);
	int (*code)(tjhandle);
	int (*destroy)(tjhandle);
} library;
static char failure[256];

struct mt_turbo {
	tjhandle handle;
};

static void *find(void *from, const char *name) {
	void *f = from ? dlsym(from, name) : 0;
	if (!f && !failure[0]) {
		const char *why = dlerror();
		snprintf(failure, sizeof failure, "%s", why ? why : name);
	}
	return f;
}

static void load(void) {
	void *from = dlopen("libturbojpeg.so.0", RTLD_NOW | RTLD_LOCAL);
	library.init = find(from, "tjInitDecompress");
	library.header = find(from, "tjDecompressHeader3");
	library.decompress = find(from, "tjDecompress2");
	library.error = find(from, "tjGetErrorStr2");
	library.code = find(from, "tjGetErrorCode");
	library.destroy = find(from, "tjDestroy");
}

mt_turbo *mt_open(char *message, size_t size) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	mt_turbo *t = failure[0] ? 0 : calloc(1, sizeof *t);
	if (t && (t->handle = library.init())) return t;
	snprintf(message, size, "%s", failure[0] ? failure : "out of memory");
	free(t);
	return 0;
}

void mt_close(mt_turbo *t) {
	if (t->handle) library.destroy(t->handle);
	free(t);
}

// failed tells errors from warnings, after which the picture is there. An error leaves the decompressor amid the file (its next header
// would begin there), so that another takes its place.
static int failed(mt_turbo *t, int result, char *message, size_t size) {
	if (!result || library.code(t->handle) == TJERR_WARNING) return 0;
	snprintf(message, size, "%s", library.error(t->handle));
	library.destroy(t->handle);
	t->handle = library.init();
	return 1;
}

int mt_decode(mt_turbo *t, uint8_t *out, int width, int height, int channels, const uint8_t *file, size_t bytes, char *message, size_t size) {
	int w = 0, h = 0, subsampling, colours;
	if (!t->handle) {
		snprintf(message, size, "out of memory");
		return 0;
	}
	if (failed(t, library.header(t->handle, file, bytes, &w, &h, &subsampling, &colours), message, size)) return 0;
	if (w != width || h != height) {
		snprintf(message, size, "the header says %d x %d pixels, the markers %d x %d", h, w, height, width);
		return 0;
	}
	int format = channels == 1 ? TJPF_GRAY : channels == 3 ? TJPF_RGB : TJPF_CMYK;
	int result = library.decompress(t->handle, file, bytes, out, w, w * channels, h, format, TJFLAG_ACCURATEDCT);
	return !failed(t, result, message, size);
}

//go:build mmcuda && cgo && linux

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "library.h"

enum { NCCL_FLOAT = 7 }; // of nccl.h, in every version 2

struct mm_nccl {
	void *library;
	int cards, destroyable;
	void **communicators; // one a card
	int (*init_all)(void **communicators, int n, const int *cards);
	int (*destroy)(void *communicator);
	int (*group_start)(void);
	int (*group_end)(void);
	int (*send)(const void *from, size_t n, int type, int peer, void *communicator, void *stream);
	int (*receive)(void *to, size_t n, int type, int peer, void *communicator, void *stream);
};

void mm_nccl_close(mm_nccl *l) {
	if (!l) return;
	if (l->destroyable)
		for (int i = 0; i < l->cards; i++) l->destroy(l->communicators[i]);
	if (l->library) dlclose(l->library);
	free(l->communicators);
	free(l);
}

mm_nccl *mm_nccl_open(const char *path, const int *cards, int n, char *message, size_t size) {
	mm_nccl *l = calloc(1, sizeof *l);
	if (!l || !(l->communicators = calloc(n, sizeof *l->communicators))) {
		snprintf(message, size, "out of memory");
		mm_nccl_close(l);
		return 0;
	}
	if (!(l->library = dlopen(path, RTLD_NOW | RTLD_LOCAL))) {
		snprintf(message, size, "%s", dlerror());
		mm_nccl_close(l);
		return 0;
	}
	l->cards = n;
	l->init_all = dlsym(l->library, "ncclCommInitAll");
	l->destroy = dlsym(l->library, "ncclCommDestroy");
	l->group_start = dlsym(l->library, "ncclGroupStart");
	l->group_end = dlsym(l->library, "ncclGroupEnd");
	l->send = dlsym(l->library, "ncclSend");
	l->receive = dlsym(l->library, "ncclRecv");
	int status = -1;
	if (!l->init_all || !l->destroy || !l->group_start || !l->group_end || !l->send || !l->receive)
		snprintf(message, size, "%s: not NCCL 2.7 or newer", path);
	else if ((status = l->init_all(l->communicators, n, cards)) != 0)
		snprintf(message, size, "%s: connecting %d cards: status %d", path, n, status);
	if (status == 0) {
		l->destroyable = 1;
		return l;
	}
	mm_nccl_close(l);
	return 0;
}

int mm_nccl_move(mm_nccl *l, const mm_move *all, int n, void *const *streams) {
	int s = l->group_start();
	for (int i = 0; !s && i < n; i++) {
		const mm_move *m = &all[i];
		if (!(s = l->send((const void *)(uintptr_t)m->source, m->n, NCCL_FLOAT, m->to, l->communicators[m->from], streams[m->from])))
			s = l->receive((void *)(uintptr_t)m->target, m->n, NCCL_FLOAT, m->from, l->communicators[m->to], streams[m->to]);
	}
	int end = l->group_end();
	return s ? s : end;
}

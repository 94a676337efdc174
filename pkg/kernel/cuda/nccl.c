//go:build mmcuda && cgo && linux

#include <stdio.h>
#include <stdlib.h>

#include "library.h"

enum { MM_NCCL_FLOAT = 7 }; // of nccl.h, in every version 2

#define FUNCTIONS(F)                                                                                                                    \
	F(CommInitAll, (void **communicators, int n, const int *cards))                                                                     \
	F(CommDestroy, (void *communicator))                                                                                                \
	F(GroupStart, (void))                                                                                                               \
	F(GroupEnd, (void))                                                                                                                 \
	F(Send, (const void *from, size_t n, int type, int peer, void *communicator, void *stream))                                         \
	F(Recv, (void *to, size_t n, int type, int peer, void *communicator, void *stream))

struct mm_nccl {
	void *library;
	int cards, destroyable;
	void **communicators; // one a card
	FUNCTIONS(MM_MEMBER)
};

void mm_nccl_close(mm_nccl *l) {
	if (!l) return;
	if (l->destroyable)
		for (int i = 0; i < l->cards; i++) l->CommDestroy(l->communicators[i]);
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
	message[0] = 0;
	l->cards = n;
	l->library = mm_library_open(path, message, size);
#define FIND(name, parameters) l->name = mm_library_find(l->library, path, "nccl" #name, message, size);
	FUNCTIONS(FIND)
#undef FIND
	int status;
	if (!message[0] && (status = l->CommInitAll(l->communicators, n, cards)) != 0)
		snprintf(message, size, "%s: connecting %d cards: status %d", path, n, status);
	if (message[0]) {
		mm_nccl_close(l);
		return 0;
	}
	l->destroyable = 1;
	return l;
}

int mm_nccl_move(mm_nccl *l, const mm_move *all, int n, void *const *streams) {
	int s = l->GroupStart();
	for (int i = 0; !s && i < n; i++) {
		const mm_move *m = &all[i];
		if (!(s = l->Send((const void *)(uintptr_t)m->source, m->n, MM_NCCL_FLOAT, m->to, l->communicators[m->from], streams[m->from])))
			s = l->Recv((void *)(uintptr_t)m->target, m->n, MM_NCCL_FLOAT, m->from, l->communicators[m->to], streams[m->to]);
	}
	int end = l->GroupEnd();
	return s ? s : end;
}

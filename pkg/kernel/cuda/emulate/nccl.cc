// NCCL as far as pkg/kernel/cuda calls it: sends and receives of a group, matched by their cards in the order of the calls. As in the
// library they run on the streams of both: neither goes on before all of the group that concerns it is done.
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "emulate.h"

namespace {

struct Communicator {
	int rank;
	CUcontext context;
};

struct Half {
	Communicator *communicator;
	void *data;
	size_t n;
	CUstream stream;
};

using Pair = std::pair<int, int>; // from, to

bool grouped;
std::map<Pair, std::vector<Half>> sends, receives;

int remember(std::map<Pair, std::vector<Half>> &all, Pair pair, Half h, int type) {
	if (!grouped || type != 7 || !h.stream || h.n == 0) return 4; // invalid argument
	if (!emulate_inside(h.communicator->context, h.stream, (CUdeviceptr)(uintptr_t)h.data, 4 * h.n)) return 4;
	all[pair].push_back(h);
	return 0;
}

} // namespace

extern "C" {

int ncclCommInitAll(void **all, int n, const int *cards) {
	for (int i = 0; i < n; i++) {
		CUcontext context;
		if (cuDevicePrimaryCtxRetain(&context, cards[i])) return 4;
		all[i] = new Communicator{i, context};
	}
	return 0;
}

int ncclCommDestroy(void *c) {
	delete (Communicator *)c;
	return 0;
}

int ncclGroupStart(void) {
	grouped = true;
	return 0;
}

int ncclSend(const void *from, size_t n, int type, int peer, void *c, void *stream) {
	auto own = (Communicator *)c;
	return remember(sends, {own->rank, peer}, {own, (void *)from, n, (CUstream)stream}, type);
}

int ncclRecv(void *to, size_t n, int type, int peer, void *c, void *stream) {
	auto own = (Communicator *)c;
	return remember(receives, {peer, own->rank}, {own, to, n, (CUstream)stream}, type);
}

int ncclGroupEnd(void) {
	grouped = false;
	auto from = std::move(sends), to = std::move(receives);
	sends.clear();
	receives.clear();
	std::map<CUstream, unsigned long long> before; // the position of each stream when the group begins
	for (auto *side : {&from, &to})
		for (auto &[pair, halves] : *side)
			for (auto &h : halves) before[h.stream] = emulate_position(h.stream);
	for (auto &[pair, halves] : to) {
		auto &others = from[pair];
		if (others.size() != halves.size()) return 5; // invalid usage: the library would wait for ever
		for (size_t i = 0; i < halves.size(); i++) {
			Half in = halves[i], out = others[i];
			if (in.n != out.n) return 5;
			auto at = before[out.stream];
			emulate_enqueue(in.stream, [=] {
				emulate_run_until(out.stream, at);
				memcpy(in.data, out.data, 4 * in.n);
			});
		}
	}
	for (auto &[pair, halves] : from)
		if (to[pair].size() != halves.size()) return 5;
	// What a sender is given next waits until its receivers have read.
	std::map<CUstream, unsigned long long> after;
	for (auto &[stream, at] : before) after[stream] = emulate_position(stream);
	for (auto &[pair, halves] : from)
		for (size_t i = 0; i < halves.size(); i++) {
			CUstream sender = halves[i].stream, receiver = to[pair][i].stream;
			auto at = after[receiver];
			emulate_enqueue(sender, [=] { emulate_run_until(receiver, at); });
		}
	return 0;
}

} // extern "C"

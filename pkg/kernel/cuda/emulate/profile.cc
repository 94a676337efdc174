// What a launch of translated PTX does: instructions by what a card has different units for, and what its accesses to memory cost.
//
// A card serves a warp's access as a whole. The lanes' accesses are put together by the instruction and its how-manyth execution in the
// thread, which is the warp's where its lanes go the same way. Global memory is moved in sectors of 32 bytes: sectors beyond those that the
// bytes would fill were moved for nothing. Shared memory has 32 banks of 4 bytes, each of which gives one word at a time, to all lanes that
// want it; accesses of 8 and 16 bytes are served by half and by quarter warps. What goes beyond one wavefront for each of these is a conflict.
// Source: NVIDIA, CUDA C++ Programming Guide, on global and on shared memory, compute capability 5.x and newer.
#ifdef MM_COUNTS

#include "profile.h"
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

unsigned long long profile_counts[profile_classes];

namespace {

constexpr unsigned warp = 32;

struct Request {
	std::array<uint64_t, warp> address;
	uint32_t lanes = 0;
};

// Site is an instruction that touches memory.
struct Site {
	ProfileSpace space;
	bool writes;
	int size;
	std::vector<unsigned> executed = std::vector<unsigned>(1024); // by thread
	std::map<unsigned, std::vector<Request>> warps;
	unsigned long long requests = 0, cost = 0, least = 0;
};

std::map<int, Site> sites; // by line
std::string name;
unsigned thread;
size_t ran, all;

// sectors counts those that the bytes lie in, and those that they would fill.
void sectors(Site &s, std::vector<uint64_t> &addresses) {
	unsigned long long bytes = 0, touched = 0;
	uint64_t end = 0, next = 0; // of the bytes, and the first sector that is not counted
	for (uint64_t a : addresses) {
		bytes += a + s.size - std::max(a, std::min(end, a + s.size));
		end = std::max(end, a + s.size);
		for (uint64_t sector = std::max(next, a / 32); sector <= (a + s.size - 1) / 32; sector++, touched++) next = sector + 1;
	}
	s.cost += touched;
	s.least += (bytes + 31) / 32;
}

// wavefronts counts those of the lanes that are served together.
void wavefronts(Site &s, const Request &r) {
	unsigned together = s.size <= 4 ? 32 : s.size == 8 ? 16 : 8;
	for (unsigned first = 0; first < warp; first += together) {
		std::vector<uint64_t> words;
		for (unsigned lane = first; lane < first + together; lane++)
			if (r.lanes >> lane & 1)
				for (int at = 0; at < std::max(s.size, 4); at += 4) words.push_back(r.address[lane] / 4 + at / 4);
		if (words.empty()) continue;
		std::sort(words.begin(), words.end());
		words.erase(std::unique(words.begin(), words.end()), words.end());
		unsigned of_bank[32] = {};
		for (uint64_t w : words) of_bank[w % 32]++;
		s.cost += *std::max_element(of_bank, of_bank + 32);
		s.least++;
	}
}

void account(Site &s, const Request &r) {
	s.requests++;
	if (s.space == profile_shared_memory) return wavefronts(s, r);
	std::vector<uint64_t> addresses;
	for (unsigned lane = 0; lane < warp; lane++)
		if (r.lanes >> lane & 1) addresses.push_back(r.address[lane]);
	std::sort(addresses.begin(), addresses.end());
	sectors(s, addresses);
}

} // namespace

void profile_touch(int line, ProfileSpace space, bool writes, uint64_t address, int size) {
	Site &s = sites[line];
	s.space = space;
	s.writes = writes;
	s.size = size;
	unsigned turn = s.executed[thread]++;
	std::vector<Request> &requests = s.warps[thread / warp];
	if (requests.size() <= turn) requests.resize(turn + 1);
	requests[turn].address[thread % warp] = address;
	requests[turn].lanes |= 1u << thread % warp;
}

void profile_thread(unsigned number) { thread = number; }

void profile_launch(const char *kernel, std::vector<unsigned> &blocks) {
	name = kernel;
	sites.clear();
	std::fill_n(profile_counts, profile_classes, 0);
	const char *limit = getenv("MM_EMULATED_BLOCKS");
	ran = all = blocks.size();
	if (!limit || !*limit || ran <= strtoull(limit, nullptr, 10)) return;
	ran = strtoull(limit, nullptr, 10);
	for (size_t i = 0; i < ran; i++) blocks[i] = blocks[(2 * i + 1) * all / (2 * ran)];
	blocks.resize(ran);
}

void profile_block_end() {
	for (auto &[line, s] : sites) {
		for (auto &[_, requests] : s.warps)
			for (const Request &r : requests)
				if (r.lanes) account(s, r);
		s.warps.clear();
		std::fill(s.executed.begin(), s.executed.end(), 0);
	}
}

void profile_launch_end() {
	const char *path = getenv("MM_EMULATED_PROFILE");
	FILE *f = path && *path ? fopen(path, "a") : nullptr;
	if (!f) return;
	fprintf(f, "launch %s blocks %zu of %zu threads %u", name.c_str(), ran, all, blockDim.x * blockDim.y * blockDim.z);
#define PROFILE_PRINT(class) fprintf(f, " " #class " %llu", profile_counts[profile_##class]);
	PROFILE_CLASSES(PROFILE_PRINT)
	fprintf(f, "\n");
	for (auto &[line, s] : sites)
		fprintf(f, "access line %d space %s writes %d size %d requests %llu cost %llu least %llu\n", line,
			s.space == profile_global_memory ? "global" : "shared", s.writes, s.size, s.requests, s.cost, s.least);
	fclose(f);
}

#endif

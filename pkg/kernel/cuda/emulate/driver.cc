// An emulated CUDA driver over host memory, for tests: as much of it as pkg/kernel/cuda calls.
//
// It is unkind where a card may be. Nothing that is queued on a stream runs before somebody waits for it, so that a missing
// wait shows; a recording runs in some order that its waits allow, another one each time; fresh memory is NaN; a call that stream capture forbids
// breaks the capture, as does memory that is not pinned, or a wait for what the capture has not recorded, or what works in the same memory at the same time; a kernel must be in the module's PTX, and its blocks no larger than that says; and a stream, an event,
// a kernel and all memory that it is given must be of the card whose context is current.
//
//	MM_EMULATED_CARDS   the number of cards (1)
//	MM_EMULATED_MEMORY  bytes of each (4 GiB)
//	MM_EMULATED_PEERS   0: no card reaches another's memory; 2: each could, and has too many peers to (1)
//	MM_EMULATED_TRACE   a file that takes the name of each call that holds the lock, and the size of each recording (none)
//	MM_EMULATED_CAPABILITY  ten times the compute capability (80)
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../driver/cuda.h"
#include "emulate.h"
#include "graph.h"
#include "memory.h"
#include "shim.h"

using Work = std::function<void()>;

struct CUctx_st {
	int card;
	std::set<CUcontext> reaches;
	size_t used = 0;
	std::map<CUdeviceptr, size_t> memory;
};

struct CUstream_st {
	CUcontext context;
	std::deque<Work> queue;
	unsigned long long queued = 0, done = 0;
	CUgraph capture = nullptr;
	std::vector<size_t> last; // nodes of the capture that what is captured next waits for
};

using Clock = std::chrono::steady_clock;

struct CUevent_st {
	CUcontext context;
	CUstream stream = nullptr;
	unsigned long long at = 0;
	std::shared_ptr<Clock::time_point> when; // null where it tells no time
	CUgraph capture = nullptr;				 // that it was recorded in, last
	std::vector<size_t> last;				 // nodes of it
};

struct CUgraph_st : Graph {
	CUstream origin = nullptr;
	bool broken = false;
	std::thread::id capturer;
	unsigned mode = 0;
};

struct CUgraphExec_st {
	Graph graph;
};

struct CUfunc_st {
	CUcontext context;
	std::string name;
	void (*thread)(void **);
	int parameters;
	unsigned threads, shared; // at most in a block, and its bytes of shared memory, as the PTX says
};

struct CUmod_st {
	CUcontext context;
	std::string image;
	std::map<std::string, CUfunc_st> functions;
};

namespace {

std::recursive_mutex lock;

// trace adds a line to the file that MM_EMULATED_TRACE names.
void trace(const std::string &line) {
	const char *path = getenv("MM_EMULATED_TRACE");
	if (!path || !*path) return;
	if (FILE *f = fopen(path, "a")) {
		fprintf(f, "%s\n", line.c_str());
		fclose(f);
	}
}

// Guard holds the lock for a call, whose name is traced.
struct Guard {
	std::lock_guard<std::recursive_mutex> held;
	explicit Guard(std::recursive_mutex &m, const char *call = __builtin_FUNCTION()) : held(m) { trace(call); }
};

thread_local CUcontext current;
std::vector<std::unique_ptr<CUctx_st>> contexts;
std::vector<CUstream> streams;
std::map<uintptr_t, size_t> pinned;

struct Kernel {
	void (*thread)(void **);
	int parameters;
};

std::map<std::string, Kernel> &kernels() {
	static std::map<std::string, Kernel> all;
	return all;
}

long long setting(const char *name, long long otherwise) {
	const char *value = getenv(name);
	return value && *value ? atoll(value) : otherwise;
}

int cards() { return (int)setting("MM_EMULATED_CARDS", 1); }
size_t capacity() { return (size_t)setting("MM_EMULATED_MEMORY", 4ll << 30); }

CUcontext context(int card) {
	while ((int)contexts.size() <= card) {
		contexts.emplace_back(new CUctx_st);
		contexts.back()->card = (int)contexts.size() - 1;
	}
	return contexts[card].get();
}

void run_until(CUstream s, unsigned long long at) {
	while (s->done < at) {
		Work next = std::move(s->queue.front());
		s->queue.pop_front();
		s->done++;
		next();
	}
}

void run_all(CUstream s) { run_until(s, s->queued); }

// capturing breaks the captures that forbid what called it: those of its own thread, and of any thread where they are global.
bool capturing() {
	bool any = false;
	for (CUstream s : streams)
		if (CUgraph c = s->capture; c && (c->mode == CU_STREAM_CAPTURE_MODE_GLOBAL || (c->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && c->capturer == std::this_thread::get_id())))
			any = c->broken = true;
	return any;
}

CUresult enqueue(CUstream s, Work work, const void *works_in = nullptr) {
	if (!s) return CUDA_ERROR_INVALID_HANDLE; // the default stream is not used
	if (s->capture) {
		s->last = {s->capture->add(std::move(work), s->last, works_in)};
		return CUDA_SUCCESS;
	}
	s->queue.push_back(std::move(work));
	s->queued++;
	return CUDA_SUCCESS;
}

// owner is the context in whose card's memory n bytes at p lie, within one allocation; null where they do not.
CUcontext owner(CUdeviceptr p, size_t n) {
	for (auto &c : contexts) {
		auto after = c->memory.upper_bound(p);
		if (after == c->memory.begin()) continue;
		auto &[start, size] = *std::prev(after);
		if (p + n <= start + size) return c.get();
	}
	return nullptr;
}

// pinned_inside tells whether n bytes at p are of one piece of pinned memory.
bool pinned_inside(const void *p, size_t n) {
	auto after = pinned.upper_bound((uintptr_t)p);
	if (after == pinned.begin()) return false;
	auto &[start, size] = *std::prev(after);
	return (uintptr_t)p + n <= start + size;
}

// number returns what follows a word of text between from and to; otherwise where it is not there.
unsigned number(const std::string &text, size_t from, size_t to, const char *word, unsigned otherwise) {
	size_t at = text.find(word, from);
	return at < to ? (unsigned)atoi(text.c_str() + at + strlen(word)) : otherwise;
}

// shared_size adds up a kernel's shared memory: lines such as "	.shared .align 16 .b8 NAME[17408];".
unsigned shared_size(const std::string &text, size_t from, size_t to) {
	unsigned sum = 0;
	for (size_t at = text.find("\t.shared .align", from); at < to; at = text.find("\t.shared .align", at + 1))
		sum += number(text, at, text.find(';', at), "[", 0);
	return sum;
}

// inside tells whether n bytes at p are memory of the current card.
bool inside(CUdeviceptr p, size_t n) { return current && owner(p, n) == current; }

} // namespace

void emulate_register(const char *name, void (*thread)(void **), int parameters) { kernels()[name] = {thread, parameters}; }

void emulate_enqueue(CUstream s, Work work, const void *works_in) { enqueue(s, std::move(work), works_in); }

unsigned long long emulate_position(CUstream s) { return s->queued; }

void emulate_run_until(CUstream s, unsigned long long at) { run_until(s, at); }

bool emulate_inside(CUcontext c, CUstream s, CUdeviceptr p, size_t n) {
	Guard g(lock);
	return s->context == c && owner(p, n) == c;
}

bool emulate_ready(CUstream s) { return s && s->context == current; }

bool emulate_current(const void *p, size_t n) {
	Guard g(lock);
	return inside((CUdeviceptr)(uintptr_t)p, n);
}

extern "C" {

// emulated_kernel runs one kernel at once, by its name: -1 where there is none, else the number of parameters that it takes,
// which is why nothing ran where it is not n.
int emulated_kernel(const char *name, unsigned gx, unsigned gy, unsigned gz, unsigned block, unsigned long long *values, int n) {
	Guard g(lock);
	auto found = kernels().find(name);
	if (found == kernels().end()) return -1;
	if (n != found->second.parameters) return found->second.parameters;
	std::vector<void *> pointers;
	for (int i = 0; i < n; i++) pointers.push_back(&values[i]);
	emulate_launch(name, found->second.thread, pointers.data(), {gx, gy, gz}, {block, 1, 1});
	return n;
}

CUresult cuInit(unsigned int) { return cards() > 0 ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE; }

CUresult cuDriverGetVersion(int *version) {
	*version = CUDA_VERSION;
	return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult, const char **text) {
	*text = "emulated";
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *n) {
	*n = cards();
	return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *d, int n) {
	if (n < 0 || n >= cards()) return CUDA_ERROR_INVALID_DEVICE;
	*d = n;
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int size, CUdevice d) {
	snprintf(name, size, "Emulated card %d", d);
	return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute which, CUdevice) {
	switch (which) {
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = (int)setting("MM_EMULATED_CAPABILITY", 80) / 10; return CUDA_SUCCESS;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = (int)setting("MM_EMULATED_CAPABILITY", 80) % 10; return CUDA_SUCCESS;
	case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 2; return CUDA_SUCCESS;
	default: return CUDA_ERROR_INVALID_VALUE;
	}
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *c, CUdevice d) {
	Guard g(lock);
	if (d < 0 || d >= cards()) return CUDA_ERROR_INVALID_DEVICE;
	*c = context(d);
	return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) { return CUDA_SUCCESS; }

CUresult cuCtxSetCurrent(CUcontext c) {
	current = c;
	return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *c) {
	*c = current;
	return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize(void) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	for (CUstream s : streams)
		if (s->context == current) run_all(s);
	return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	*total = capacity();
	*free = *total - current->used;
	return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t n) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (n == 0) return CUDA_ERROR_INVALID_VALUE;
	if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	if (n > capacity() - current->used) return CUDA_ERROR_OUT_OF_MEMORY;
	void *host = emulate_take(n);
	if (!host) return CUDA_ERROR_OUT_OF_MEMORY;
	*p = (CUdeviceptr)(uintptr_t)host;
	current->memory[*p] = n;
	current->used += n;
	return CUDA_SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr p) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	for (CUstream s : streams) run_all(s);
	auto found = current->memory.find(p);
	if (found == current->memory.end()) return CUDA_ERROR_INVALID_VALUE;
	current->used -= found->second;
	emulate_give((void *)(uintptr_t)p, found->second);
	current->memory.erase(found);
	return CUDA_SUCCESS;
}

CUresult cuMemAllocHost_v2(void **p, size_t n) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	*p = aligned_alloc(256, (n + 255) / 256 * 256);
	if (!*p) return CUDA_ERROR_OUT_OF_MEMORY;
	pinned[(uintptr_t)*p] = n;
	return CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void *p) {
	Guard g(lock);
	for (CUstream s : streams) run_all(s);
	if (!pinned.erase((uintptr_t)p)) return CUDA_ERROR_INVALID_VALUE;
	free(p);
	return CUDA_SUCCESS;
}

static CUresult copy(void *to, const void *from, size_t n, CUstream s) {
	if (!current || !s || s->context != current) return CUDA_ERROR_INVALID_CONTEXT;
	return enqueue(s, [=] { memmove(to, from, n); });
}

// A recording reads and writes the host's memory when it is replayed: what is not pinned may be gone by then.
static bool recordable(const void *host, size_t n, CUstream s) {
	if (!s || !s->capture || pinned_inside(host, n)) return true;
	s->capture->broken = true;
	return false;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t n, CUstream s) {
	Guard g(lock);
	if (!inside(to, n)) return CUDA_ERROR_INVALID_VALUE;
	if (!recordable(from, n, s)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	return copy((void *)(uintptr_t)to, from, n, s);
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t n, CUstream s) {
	Guard g(lock);
	if (!inside(from, n)) return CUDA_ERROR_INVALID_VALUE;
	if (!recordable(to, n, s)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	return copy(to, (const void *)(uintptr_t)from, n, s);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream s) {
	Guard g(lock);
	if (!inside(to, n) || !inside(from, n)) return CUDA_ERROR_INVALID_VALUE;
	return copy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, n, s);
}

CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext at, CUdeviceptr from, CUcontext other, size_t n, CUstream s) {
	Guard g(lock);
	if (!n || owner(to, n) != at || owner(from, n) != other) return CUDA_ERROR_INVALID_VALUE;
	return copy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, n, s);
}

CUresult cuDeviceCanAccessPeer(int *can, CUdevice d, CUdevice other) {
	*can = d != other && setting("MM_EMULATED_PEERS", 1) != 0;
	return CUDA_SUCCESS;
}

CUresult cuCtxEnablePeerAccess(CUcontext other, unsigned int) {
	Guard g(lock);
	if (!current || !other || other == current) return CUDA_ERROR_INVALID_CONTEXT;
	if (!setting("MM_EMULATED_PEERS", 1)) return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
	if (setting("MM_EMULATED_PEERS", 1) == 2) return CUDA_ERROR_TOO_MANY_PEERS;
	return current->reaches.insert(other).second ? CUDA_SUCCESS : CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED;
}

CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int value, size_t n, CUstream s) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (!inside(to, 4 * n)) return CUDA_ERROR_INVALID_VALUE;
	return enqueue(s, [=] { std::fill_n((unsigned *)(uintptr_t)to, n, value); });
}

CUresult cuStreamCreate(CUstream *s, unsigned int) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	*s = new CUstream_st{current};
	streams.push_back(*s);
	return CUDA_SUCCESS;
}

CUresult cuStreamDestroy_v2(CUstream s) {
	Guard g(lock);
	run_all(s);
	for (size_t i = 0; i < streams.size(); i++)
		if (streams[i] == s) streams.erase(streams.begin() + i);
	return CUDA_SUCCESS; // not freed: events may still name it
}

CUresult cuStreamSynchronize(CUstream s) {
	Guard g(lock);
	if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	run_all(s);
	return CUDA_SUCCESS;
}

CUresult cuStreamWaitEvent(CUstream s, CUevent e, unsigned int) {
	Guard g(lock);
	CUstream other = e->stream;
	unsigned long long at = e->at;
	if (!e->capture && !other) return CUDA_SUCCESS;
	if (e->capture && !s->capture) { // the stream joins the capture, which its own thread alone may have it do
		if (!e->capture->origin || e->capture->capturer != std::this_thread::get_id()) return CUDA_ERROR_CAPTURED_EVENT;
		s->capture = e->capture;
		s->last.clear();
	}
	if (s->capture != e->capture) {
		s->capture->broken = true;
		return e->capture ? CUDA_ERROR_STREAM_CAPTURE_MERGE : CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
	}
	if (!s->capture) return enqueue(s, [=] { run_until(other, at); });
	for (size_t n : e->last)
		if (std::find(s->last.begin(), s->last.end(), n) == s->last.end()) s->last.push_back(n);
	return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *e, unsigned int flags) {
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	*e = new CUevent_st{current};
	if (!(flags & CU_EVENT_DISABLE_TIMING)) (*e)->when = std::make_shared<Clock::time_point>();
	return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent e) {
	delete e;
	return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent e, CUstream s) {
	Guard g(lock);
	if (e->context != s->context) return CUDA_ERROR_INVALID_HANDLE;
	e->capture = s->capture;
	e->last = s->last;
	if (s->capture) return CUDA_SUCCESS;
	if (auto when = e->when) enqueue(s, [=] { *when = Clock::now(); });
	e->stream = s;
	e->at = s->queued;
	return CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent e) {
	Guard g(lock);
	if (e->capture) return CUDA_ERROR_CAPTURED_EVENT;
	if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	if (e->stream) run_until(e->stream, e->at);
	return CUDA_SUCCESS;
}

CUresult cuEventElapsedTime(float *ms, CUevent from, CUevent to) {
	Guard g(lock);
	if (!from->when || !to->when || !from->stream || !to->stream) return CUDA_ERROR_INVALID_HANDLE;
	if (from->stream->done < from->at || to->stream->done < to->at) return CUDA_ERROR_NOT_READY;
	*ms = std::chrono::duration<float, std::milli>(*to->when - *from->when).count();
	return CUDA_SUCCESS;
}

CUresult cuModuleLoadData(CUmodule *m, const void *image) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (capturing()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	*m = new CUmod_st{current, (const char *)image, {}};
	if ((*m)->image.find(".address_size 64") != std::string::npos) return CUDA_SUCCESS;
	delete *m;
	return CUDA_ERROR_INVALID_PTX;
}

CUresult cuModuleLoadDataEx(CUmodule *m, const void *image, unsigned int n, CUjit_option *options, void **values) {
	CUresult result = cuModuleLoadData(m, image);
	char *log = nullptr;
	for (unsigned i = 0; i < n; i++) {
		if (options[i] == CU_JIT_ERROR_LOG_BUFFER) log = (char *)values[i];
		if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES && log && result) snprintf(log, (size_t)values[i], "emulated: no .address_size 64\n");
	}
	return result;
}

CUresult cuModuleUnload(CUmodule m) {
	delete m;
	return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction *f, CUmodule m, const char *name) {
	Guard g(lock);
	auto found = kernels().find(name);
	size_t from = m->image.find(".entry " + std::string(name) + "(");
	if (found == kernels().end() || from == std::string::npos) return CUDA_ERROR_NOT_FOUND;
	size_t to = std::min(m->image.find(".entry ", from + 1), m->image.size());
	m->functions[name] = {m->context, name, found->second.thread, found->second.parameters, number(m->image, from, to, ".maxntid ", 1024),
		shared_size(m->image, from, to)};
	*f = &m->functions[name];
	return CUDA_SUCCESS;
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute which, CUfunction f) {
	switch (which) {
	case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = (int)f->threads; return CUDA_SUCCESS;
	case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = (int)f->shared; return CUDA_SUCCESS;
	case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = 0; return CUDA_SUCCESS;
	default: return CUDA_ERROR_INVALID_VALUE;
	}
}

CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
	CUstream s, void **parameters, void **) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || bx * by * bz > f->threads || bx * by * bz == 0 || shared) return CUDA_ERROR_INVALID_VALUE;
	if (!s || s->context != current || f->context != current) return CUDA_ERROR_INVALID_HANDLE;
	std::vector<uint64_t> values(f->parameters);
	for (int i = 0; i < f->parameters; i++) {
		memcpy(&values[i], parameters[i], 8);
		CUcontext of = owner(values[i], 1); // a number that is no address is in no memory
		if (of && of != current) return CUDA_ERROR_ILLEGAL_ADDRESS;
	}
	auto thread = f->thread;
	auto name = f->name;
	return enqueue(s, [=]() mutable {
		std::vector<void *> pointers(values.size());
		for (size_t i = 0; i < values.size(); i++) pointers[i] = &values[i];
		emulate_launch(name.c_str(), thread, pointers.data(), {gx, gy, gz}, {bx, by, bz});
	});
}

CUresult cuStreamBeginCapture_v2(CUstream s, unsigned int mode) {
	Guard g(lock);
	if (s->capture) return CUDA_ERROR_ILLEGAL_STATE;
	s->capture = new CUgraph_st;
	s->capture->origin = s;
	s->capture->capturer = std::this_thread::get_id();
	s->capture->mode = mode;
	s->last.clear();
	return CUDA_SUCCESS;
}

// The streams that joined have to be waited for by the one that the capture began on. What is captured stays, for events that name it.
CUresult cuStreamEndCapture(CUstream s, CUgraph *graph) {
	Guard g(lock);
	CUgraph c = s->capture;
	if (!c) return CUDA_ERROR_ILLEGAL_STATE;
	if (c->capturer != std::this_thread::get_id()) return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
	if (c->origin != s) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
	*graph = nullptr;
	c->origin = nullptr;
	for (CUstream joined : streams)
		if (joined->capture == c) joined->capture = nullptr;
	trace("recorded " + std::to_string(c->nodes.size()) + " nodes, " + std::to_string(c->longest()) + " in a row");
	if (c->broken) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
	if (!c->reaches(s->last)) return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
	if (c->shared()) {
		fprintf(stderr, "emulated: what may run at the same time works in the same memory\n");
		return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED; // a card would not know
	}
	*graph = c;
	return CUDA_SUCCESS;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *e, CUgraph graph, unsigned long long) {
	*e = new CUgraphExec_st{*graph};
	return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph) { return CUDA_SUCCESS; } // not freed: events may still name it

CUresult cuGraphExecDestroy(CUgraphExec e) {
	Guard g(lock);
	for (CUstream s : streams) run_all(s);
	delete e;
	return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec e, CUstream s) {
	Guard g(lock);
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	for (Work &work : e->graph.draw())
		if (CUresult r = enqueue(s, std::move(work))) return r;
	return CUDA_SUCCESS;
}

} // extern "C"

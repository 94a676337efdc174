// The order of a recording is drawn anew whenever it is replayed, so that a wait that is missing shows.
#include "graph.h"

#include <algorithm>
#include <random>

namespace {

std::mt19937_64 random_order(1);

} // namespace

size_t Graph::add(std::function<void()> work, std::vector<size_t> after, const void *works_in) {
	nodes.push_back({std::move(work), std::move(after), works_in});
	return nodes.size() - 1;
}

// before looks back from the second: numbers fall along the way.
bool Graph::before(size_t first, size_t second) const {
	std::vector<bool> seen(second + 1);
	std::vector<size_t> look{second};
	while (!look.empty()) {
		size_t n = look.back();
		look.pop_back();
		for (size_t a : nodes[n].after) {
			if (a == first) return true;
			if (a > first && !seen[a]) {
				seen[a] = true;
				look.push_back(a);
			}
		}
	}
	return false;
}

bool Graph::reaches(const std::vector<size_t> &last) const {
	for (size_t n = 0; n < nodes.size(); n++)
		if (std::none_of(last.begin(), last.end(), [&](size_t l) { return l == n || before(n, l); })) return false;
	return true;
}

bool Graph::shared() const {
	for (size_t second = 0; second < nodes.size(); second++)
		for (size_t first = 0; first < second; first++)
			if (nodes[second].works_in && nodes[first].works_in == nodes[second].works_in && !before(first, second)) return true;
	return false;
}

size_t Graph::longest() const {
	std::vector<size_t> length(nodes.size(), 1);
	for (size_t n = 0; n < nodes.size(); n++)
		for (size_t a : nodes[n].after) length[n] = std::max(length[n], length[a] + 1);
	return nodes.empty() ? 0 : *std::max_element(length.begin(), length.end());
}

std::vector<std::function<void()>> Graph::draw() const {
	std::vector<size_t> waits(nodes.size()), ready;
	std::vector<std::vector<size_t>> then(nodes.size());
	for (size_t n = 0; n < nodes.size(); n++) {
		waits[n] = nodes[n].after.size();
		for (size_t a : nodes[n].after) then[a].push_back(n);
		if (!waits[n]) ready.push_back(n);
	}
	std::vector<std::function<void()>> all;
	while (!ready.empty()) {
		std::swap(ready[random_order() % ready.size()], ready.back());
		size_t n = ready.back();
		ready.pop_back();
		all.push_back(nodes[n].work);
		for (size_t t : then[n])
			if (!--waits[t]) ready.push_back(t);
	}
	return all;
}

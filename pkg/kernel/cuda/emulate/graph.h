// A recording of the emulated driver, with what waits for what.
#ifndef MM_GRAPH_H
#define MM_GRAPH_H

#include <cstddef>
#include <functional>
#include <vector>

// Graph is work that was captured from one stream, or from several that were joined to it.
struct Graph {
	struct Node {
		std::function<void()> work;
		std::vector<size_t> after; // nodes, of lower numbers
		const void *works_in;	   // memory that it works in, as a library's workspace; null for none
	};
	std::vector<Node> nodes;

	// add appends a node and returns its number.
	size_t add(std::function<void()> work, std::vector<size_t> after, const void *works_in);

	// before tells whether one node is done before another one starts; reaches whether all that there are are done before the last of some.
	bool before(size_t first, size_t second) const;
	bool reaches(const std::vector<size_t> &last) const;

	// shared tells whether two nodes work in the same memory and neither waits for the other.
	bool shared() const;

	// longest is the most nodes that wait for each other, one by one.
	size_t longest() const;

	// draw returns the work in some order that the waits allow, another one each time.
	std::vector<std::function<void()>> draw() const;
};

#endif

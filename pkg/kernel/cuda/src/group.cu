// What several cards compute together: the mean of what each has.
#include "numbers.h"

// x = sum over the cards of share x_card / rows, of one run of n elements: this card's lie in x, the others' in room, a slot each in
// their order. A card's share of rows is kernel.Share's; one without a row is not read. Bytes 4 (cards + 1) n.
extern "C" __global__ void __launch_bounds__(256) mm_mean_cards(float *x, const float *room, long long n, long long slot, long long self,
	long long cards, long long rows) {
	long long more, size = divide(rows, cards, more);
	ELEMENTS(i, n) {
		double sum = 0;
		for (long long card = 0; card < cards; card++) {
			long long share = size + (card < more);
			if (!share) continue;
			double v = card == self ? (double)x[i] : (double)room[(card - (card > self)) * slot + i];
			sum += (double)share * v;
		}
		x[i] = (float)(sum / (double)rows);
	}
}

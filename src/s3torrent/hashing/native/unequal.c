/* Messages of different lengths side by side: the longest first, so that those that still have blocks are always
 * the first ones; one after the other drops out at its end. */
#include <string.h>

#include "kernel.h"

void advance_unequal(const struct choice *chosen, sha_state *state, const uint8_t *const *data,
                     const size_t *blocks, size_t count)
{
    sha_state sorted[MOST_LANES];
    const uint8_t *from[MOST_LANES];
    size_t order[MOST_LANES], running = 0;
    for (size_t lane = 0; lane < count; lane++) {
        if (!blocks[lane]) continue;
        size_t place = running++;
        for (; place > 0 && blocks[order[place - 1]] < blocks[lane]; place--) order[place] = order[place - 1];
        order[place] = lane;
    }
    size_t sorted_count = running;
    for (size_t i = 0; i < sorted_count; i++) {
        memcpy(sorted[i], state[order[i]], sizeof(sha_state));
        from[i] = data[order[i]];
    }
    for (size_t done = 0; running;) {
        size_t step = blocks[order[running - 1]] - done;
        advance_all(chosen, sorted, from, running, step);
        for (size_t i = 0; i < running; i++) from[i] += step * BLOCK;
        done += step;
        while (running && blocks[order[running - 1]] == done) running--;
    }
    for (size_t i = 0; i < sorted_count; i++) memcpy(state[order[i]], sorted[i], sizeof(sha_state));
}

void digest_unequal(const struct choice *chosen, const uint8_t *const *data, const size_t *lengths, size_t count,
                    uint8_t *digests)
{
    sha_state state[MOST_LANES];
    uint8_t last[MOST_LANES][2 * BLOCK];
    const uint8_t *tail[MOST_LANES];
    size_t blocks[MOST_LANES] = {0};
    begin(chosen, state, count);
    for (size_t lane = 0; lane < count; lane++) blocks[lane] = lengths[lane] / BLOCK;
    advance_unequal(chosen, state, data, blocks, count);
    for (size_t lane = 0; lane < count; lane++) {
        tail[lane] = last[lane];
        blocks[lane] = pad(last[lane], data[lane] + blocks[lane] * BLOCK, lengths[lane]);
    }
    advance_unequal(chosen, state, tail, blocks, count);
    write_digests(chosen, state, count, digests);
}

/* Which kernels run: those the CPU has the instructions for, by what they cost here.
 *
 * Which is quickest cannot be read off the CPU's features: on a Zen 3 SHA-NI beats AVX2 at SHA-1 by a tenth, on an
 * Intel AVX-512 beats SHA-NI by a third, and how long an instruction takes is each CPU's own. So each kernel is
 * timed for some tens of microseconds, once.
 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <time.h>

#include "kernel.h"

enum { TRIAL_BLOCKS = 64, TRIALS = 8 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Fill in what one step of all lanes costs, in nanoseconds: the least of a few trials, as anything more is
 * somebody else's time. The kernels take turns, so that a busy moment is no one's alone. */
static void measure(struct choice *choice)
{
    static const uint8_t zeros[TRIAL_BLOCKS * BLOCK];
    sha_state state[MOST_LANES] = {{0}};
    const uint8_t *data[MOST_LANES];
    for (size_t lane = 0; lane < MOST_LANES; lane++) data[lane] = zeros;
    for (int trial = 0; trial < TRIALS; trial++) {
        for (size_t i = 0; i < choice->count; i++) {
            double start = now();
            choice->kernel[i]->advance(state, data, TRIAL_BLOCKS);
            double spent = (now() - start) / TRIAL_BLOCKS;
            if (trial == 0 || spent < choice->cost[i]) choice->cost[i] = spent;
        }
    }
}

/* Times are not exact, and a busy neighbour on the core's other half blurs them. Of one family the wider kernel
 * is preferred: more in flight never costs much, and gains a lot when the core is ours alone. Another, wider
 * family must be cheaper clearly: it wants more pieces at hand. */
static bool is_better(const struct choice *choice, size_t one, size_t other)
{
    const struct kernel *a = choice->kernel[one], *b = choice->kernel[other];
    double margin = a->lanes == b->lanes ? 1 : strcmp(a->family, b->family) ? 0.95 : 1.2;
    return choice->cost[one] / a->lanes < margin * choice->cost[other] / b->lanes;
}

bool choose(struct choice *chosen, const struct algorithm *algorithm, const char *family)
{
    struct choice fresh = {.algorithm = algorithm};
    size_t first = algorithm->kernel_count; /* of those that are wanted */
    for (size_t i = 0; i < algorithm->kernel_count; i++) {
        const struct kernel *kernel = &algorithm->kernels[i];
        bool wanted = !family || !strcmp(kernel->family, family);
        if (!kernel->usable() || !(wanted || !strcmp(kernel->family, PLAIN))) continue;
        if (wanted && fresh.count < first) first = fresh.count;
        fresh.kernel[fresh.count++] = kernel;
    }
    if (first >= fresh.count) return false;
    measure(&fresh);
    fresh.best = first;
    for (size_t i = first + 1; i < fresh.count; i++) {
        bool wanted = !family || !strcmp(fresh.kernel[i]->family, family);
        if (wanted && is_better(&fresh, i, fresh.best)) fresh.best = i;
    }
    *chosen = fresh;
    return true;
}

/* The kernel that is cheapest a lane where `count` lanes are left. One may be wider than that: its spare lanes
 * then run idly. */
static size_t cheapest(const struct choice *chosen, size_t count)
{
    if (count >= chosen->kernel[chosen->best]->lanes) return chosen->best;
    size_t least = 0;
    double least_cost = 0;
    for (size_t i = 0; i < chosen->count; i++) {
        size_t lanes = chosen->kernel[i]->lanes;
        double each = chosen->cost[i] / (double)(lanes < count ? lanes : count);
        if (i == 0 || each < least_cost) {
            least = i;
            least_cost = each;
        }
    }
    return least;
}

void advance_all(const struct choice *chosen, sha_state *state, const uint8_t *const *data, size_t count,
                 size_t blocks)
{
    while (blocks && count) {
        const struct kernel *kernel = chosen->kernel[cheapest(chosen, count)];
        size_t taken = kernel->lanes < count ? kernel->lanes : count;
        if (taken == kernel->lanes) {
            kernel->advance(state, data, blocks);
        } else { /* idle lanes repeat the first */
            sha_state all[MOST_LANES];
            const uint8_t *from[MOST_LANES];
            for (size_t lane = 0; lane < kernel->lanes; lane++) {
                memcpy(all[lane], state[lane < taken ? lane : 0], sizeof(sha_state));
                from[lane] = data[lane < taken ? lane : 0];
            }
            kernel->advance(all, from, blocks);
            memcpy(state, all, taken * sizeof(sha_state));
        }
        state += taken;
        data += taken;
        count -= taken;
    }
}

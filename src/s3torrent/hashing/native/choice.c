/* Which kernels run: those the CPU has the instructions for, by what they cost here.
 *
 * Which is quickest cannot be read off the CPU's features: AVX2 beats SHA-NI at SHA-1 on some and loses on
 * others, and so do AVX-512 and SHA-NI at SHA-256. So each is timed for some tens of microseconds, once.
 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <time.h>

#include "kernel.h"

enum { TRIAL_BLOCKS = 64, TRIALS = 5 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Nanoseconds of one step of all lanes: the least of a few trials, as anything else is somebody else's time. */
static double cost(const struct kernel *kernel)
{
    static const uint8_t zeros[TRIAL_BLOCKS * BLOCK];
    sha_state state[MOST_LANES] = {{0}};
    const uint8_t *data[MOST_LANES];
    for (size_t lane = 0; lane < MOST_LANES; lane++) data[lane] = zeros;
    double least = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double start = now();
        kernel->advance(state, data, TRIAL_BLOCKS);
        double spent = now() - start;
        if (trial == 0 || spent < least) least = spent;
    }
    return (least > 1 ? least : 1) / TRIAL_BLOCKS;
}

/* A wider kernel must be a little cheaper a lane: it needs more pieces at hand, and times are not exact. */
static bool is_better(const struct choice *choice, size_t one, size_t other)
{
    unsigned lanes = choice->kernel[one]->lanes, other_lanes = choice->kernel[other]->lanes;
    double margin = lanes > other_lanes ? 0.95 : 1;
    return choice->cost[one] / lanes < margin * choice->cost[other] / other_lanes;
}

bool choose(struct choice *chosen, const struct algorithm *algorithm, const char *family)
{
    struct choice fresh = {.algorithm = algorithm};
    bool found = !family;
    for (size_t i = 0; i < algorithm->kernel_count; i++) {
        const struct kernel *kernel = &algorithm->kernels[i];
        bool wanted = !family || !strcmp(kernel->family, family);
        if (!kernel->usable() || !(wanted || !strcmp(kernel->family, PLAIN))) continue;
        fresh.kernel[fresh.count] = kernel;
        fresh.cost[fresh.count] = cost(kernel);
        if (wanted && (!found || is_better(&fresh, fresh.count, fresh.best))) fresh.best = fresh.count;
        found = found || wanted;
        fresh.count++;
    }
    if (!found) return false;
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

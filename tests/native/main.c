/* Random cases against the reference for about so many seconds: every kernel that this CPU can run, and all that
 * is built on them. Prints a line a kernel; exit 1 and the seed where something differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "passes.h"

static double now(void)
{
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool try_kernel(struct dice *dice, const struct algorithm *algorithm, const struct kernel *kernel,
                       double seconds)
{
    double end = now() + seconds;
    unsigned long long cases = 0;
    while (now() < end)
        for (int i = 0; i < 50; i++, cases += kernel->lanes)
            if (!kernel_agrees(dice, algorithm, kernel)) return false;
    printf("%s %s x%u: %llu cases\n", algorithm->name, kernel->family, kernel->lanes, cases);
    return true;
}

static bool try_family(struct dice *dice, const char *family, double seconds)
{
    struct choice one, two;
    if (!choose(&one, &sha1, family) || !choose(&two, &sha256, family)) return true;
    double end = now() + seconds;
    unsigned long long messages = 0, passes = 0;
    while (now() < end) {
        /* Any of the kernels may be the best one on another machine. */
        one.best = below(dice, one.count);
        two.best = below(dice, two.count);
        for (int i = 0; i < 20; i++, messages += 3)
            if (!messages_agree(dice, &one) || !messages_agree(dice, &two) || !streams_agree(dice, &one))
                return false;
        if (!passes_agree(dice, &one, &two) || !file_leaves_agree(dice, &two)) return false;
        if (!failures_are_told(dice, &one, &two)) return false;
        passes++;
    }
    printf("%s: %llu groups of messages, %llu passes\n", family ? family : "auto", messages, passes);
    return true;
}

int main(int count, char **arguments)
{
    double seconds = count > 1 ? atof(arguments[1]) : 10;
    unsigned long long seed = count > 2 ? strtoull(arguments[2], NULL, 10) : (unsigned long long)time(NULL);
    struct dice dice = {seed * 2 + 1};
    if (!reference_is_right()) {
        puts("the reference does not give NIST's digests");
        return 1;
    }
    const struct algorithm *algorithms[] = {&sha1, &sha256};
    size_t kernels = 0, tried = 1; /* of all families at once, as auto */
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < algorithms[a]->kernel_count; i++) kernels += algorithms[a]->kernels[i].usable();
    const char *failed = try_family(&dice, NULL, seconds / 4) ? NULL : "auto";
    for (size_t a = 0; a < 2 && !failed; a++) {
        for (size_t i = 0; i < algorithms[a]->kernel_count && !failed; i++) {
            const struct kernel *kernel = &algorithms[a]->kernels[i];
            if (!kernel->usable()) continue;
            if (!try_kernel(&dice, algorithms[a], kernel, seconds / 2 / (double)kernels) ||
                (a == 0 && !try_family(&dice, kernel->family, seconds / 2 / (double)kernels)))
                failed = kernel->family;
            tried++;
        }
    }
    if (failed) {
        printf("WRONG: %s, with seed %llu\n", failed, seed);
        return 1;
    }
    printf("all agree (%zu kernels, seed %llu)\n", tried - 1, seed);
    return 0;
}

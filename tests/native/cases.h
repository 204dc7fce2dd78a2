/* Random cases for the kernels, and what they are drawn with. Needs no operating system: the emulator has none. */
#ifndef CASES_H
#define CASES_H

#include "kernel.h"

struct dice {
    uint64_t state; /* not 0 */
};

uint64_t roll(struct dice *dice);
size_t below(struct dice *dice, size_t limit);
void fill(struct dice *dice, uint8_t *bytes, size_t length);

/* True where the reference itself gives the digests that NIST prints (FIPS 180-4's examples). */
bool reference_is_right(void);

/* One call of one kernel: random states, random data at random alignments, up to eight blocks; each lane is a
 * case. True where every lane ends as the reference does and no byte of the data changed. */
bool kernel_agrees(struct dice *dice, const struct algorithm *algorithm, const struct kernel *kernel);

/* Up to MOST_LANES messages at once, of one random length or of a random length each. */
bool messages_agree(struct dice *dice, const struct choice *choice);

/* Up to MOST_LANES streams at once, that come in up to five parts of any lengths. */
bool streams_agree(struct dice *dice, const struct choice *sha1_choice);

#endif

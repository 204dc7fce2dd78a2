/* What the parts of the hashing kernel share.
 *
 * One SHA computation is a chain: each round waits for the one before, and most of the CPU idles. The pieces of
 * a torrent and the leaves of its Merkle trees are independent, so several are hashed at once, in "lanes": N
 * states advance together, each over its own data. A kernel is a function that does that for one N with one
 * set of CPU instructions. Everything else here is generic: which kernel (choice.c), padding and grouping
 * (message.c), the walk over the content (pass.c) and where its bytes come from (source.c).
 */
#ifndef S3TORRENT_KERNEL_H
#define S3TORRENT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BLOCK = 64,        /* bytes that one step of SHA-1 and SHA-256 takes */
    LEAF = 16 * 1024,  /* bytes of one Merkle leaf (BEP 52) */
    MOST_LANES = 16,   /* of any kernel */
    MOST_KERNELS = 12, /* of one algorithm */
    MOST_DIGEST = 32,  /* bytes of the longest digest */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The words of one lane's state in the standard's order, a first. SHA-1 has five of them. */
typedef uint32_t sha_state[8];

/* Advance each lane's state by `blocks` 64-byte blocks of that lane's data (any alignment). */
typedef void advance_lanes(sha_state *state, const uint8_t *const *data, size_t blocks);

struct kernel {
    const char *family; /* what S3TORRENT_KERNEL names: the instructions it is made of */
    unsigned lanes;
    advance_lanes *advance;
    bool (*usable)(void); /* has this CPU, under this system, the instructions? */
};

struct algorithm {
    const char *name;
    sha_state initial;
    size_t digest; /* bytes */
    const struct kernel *kernels;
    size_t kernel_count;
};

extern const struct algorithm sha1, sha256;

/* The always usable family: one lane in plain C, for what the others leave over. Slower than hashlib. */
extern const char PLAIN[];

/* The kernels that may run for one algorithm, with what each costs here. Small, and copied by each call, so
 * that another thread may choose anew meanwhile. */
struct choice {
    const struct algorithm *algorithm;
    size_t count;
    const struct kernel *kernel[MOST_KERNELS];
    double cost[MOST_KERNELS]; /* nanoseconds a step of all its lanes, measured */
    size_t best;               /* index of the one that is cheapest a lane, where there is enough to do */
};

/* All kernels of `family` that this CPU can run, and plain C; of every family where it is NULL.
 * False, and `chosen` untouched, where the family is unknown or not usable here. */
bool choose(struct choice *chosen, const struct algorithm *algorithm, const char *family);

/* Advance `count` lanes by `blocks` blocks, with as few and as full kernel calls as is cheapest. */
void advance_all(const struct choice *chosen, sha_state *state, const uint8_t *const *data, size_t count,
                 size_t blocks);

/* Below, `count` is at most MOST_LANES. */

/* Set the states to the algorithm's initial one. */
void begin(const struct choice *chosen, sha_state *state, size_t count);

/* The blocks that end a message of `total` bytes: its `tail` (the total % BLOCK bytes that fill no block), a 1 bit,
 * zeros, the length in bits. `last` has room for two; says how many they are. */
size_t pad(uint8_t *last, const uint8_t *tail, uint64_t total);

/* Digests, one after the other, of states that have come to their end. */
void write_digests(const struct choice *chosen, sha_state *state, size_t count, uint8_t *digests);

/* Pad, advance and write, for messages of `total` bytes each. */
void finish(const struct choice *chosen, sha_state *state, const uint8_t *const *tail, uint64_t total,
            size_t count, uint8_t *digests);

/* All of it, for messages of `length` bytes each. */
void digest_messages(const struct choice *chosen, const uint8_t *const *data, size_t length, size_t count,
                     uint8_t *digests);

/* advance_all and digest_messages for lanes of different lengths (unequal.c). */
void advance_unequal(const struct choice *chosen, sha_state *state, const uint8_t *const *data,
                     const size_t *blocks, size_t count);
void digest_unequal(const struct choice *chosen, const uint8_t *const *data, const size_t *lengths, size_t count,
                    uint8_t *digests);

#endif

/* Random passes over content, in memory and from a file that is read badly on purpose. */
#ifndef PASSES_H
#define PASSES_H

#include "cases.h"

/* Content of a random length, in memory that ends where it ends (the sanitizer sees a byte read beyond), hashed
 * as pieces, leaves, hybrid and pairs, from memory and from a file whose reads come short and interrupted. */
bool passes_agree(struct dice *dice, const struct choice *sha1_choice, const struct choice *sha256_choice);

/* The leaves of up to 40 files of random lengths that lie one after the other. */
bool file_leaves_agree(struct dice *dice, const struct choice *sha256_choice);

/* A read that fails, a file that ends early, memory that cannot be had: each is told as what it is. */
bool failures_are_told(struct dice *dice, const struct choice *sha1_choice, const struct choice *sha256_choice);

#endif

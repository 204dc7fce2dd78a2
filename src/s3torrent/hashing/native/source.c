/* Where bytes come from: memory, or a file read by pread into buffers that stay in the cache.
 *
 * Not by mmap: a file cut short under an mmap is a signal (SIGBUS), here it is an answer.
 */
#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "pass.h"

/* Lanes advance in step, each through its own buffer: were these a power of two apart, all would want the same
 * place in the cache. */
enum { APART = 4 * 64, PAGE = 4096 };

bool source_open(struct source *source, size_t lanes, size_t room)
{
    source->room = room;
    source->buffer = NULL;
    source->error = 0;
    if (source->base) return true;
    void *memory = NULL;
    if (posix_memalign(&memory, PAGE, lanes * (room + APART))) return false;
    source->buffer = memory;
    return true;
}

void source_close(struct source *source)
{
    free(source->buffer);
    source->buffer = NULL;
}

const uint8_t *fetch(struct source *source, size_t lane, uint64_t at, size_t length)
{
    if (source->base) return source->base + at;
    uint8_t *to = source->buffer + lane * (source->room + APART);
    for (size_t have = 0; have < length;) {
        ssize_t got = pread(source->fd, to + have, length - have, (off_t)(source->start + at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            source->error = got < 0 ? errno : 0;
            return NULL;
        }
        have += (size_t)got;
    }
    return to;
}

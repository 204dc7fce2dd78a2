/* source.c with a pread that comes short, is interrupted or fails, and an allocation that may (passes.c). */
#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <unistd.h>

ssize_t flawed_pread(int fd, void *to, size_t length, off_t at);
int flawed_memalign(void **memory, size_t alignment, size_t size);

#define pread flawed_pread
#define posix_memalign flawed_memalign
#include "source.c"

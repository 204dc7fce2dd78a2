/* The random cases without an operating system, for CPUs that this machine has not: what main.c does, with the
 * serial port for stdout and a fixed number of cases for seconds. */
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "cases.h"
#include "kernels.h"

extern char bss[], bss_end[];

bool turns_words = false; /* mended.h */

/* Four rounds over nothing: the lowest word is what the first made, K of SHA-1, rotated by 30. */
TARGET("sha,sse4.1") static bool sha1rnds4_turns_words(void)
{
    __m128i rounds = (_mm_sha1rnds4_epu32)(_mm_setzero_si128(), _mm_setzero_si128(), 0);
    return _mm_cvtsi128_si32(rounds) != 0x56a09e66;
}

static void out(unsigned short port, unsigned char value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

enum { TAKES_ANOTHER = 0x20, HAS_SENT_ALL = 0x40 };

static void wait_for_serial_port(int state)
{
    unsigned char now = 0;
    while (!(now & state)) __asm__ volatile("inb %1, %0" : "=a"(now) : "Nd"((unsigned short)0x3fd));
}

static void say_letter(char letter)
{
    wait_for_serial_port(TAKES_ANOTHER);
    out(0x3f8, (unsigned char)letter);
}

static void say(const char *text)
{
    for (; *text; text++) say_letter(*text);
}

static void say_number(unsigned long number)
{
    if (number > 9) say_number(number / 10);
    say_letter((char)('0' + number % 10));
}

/* What of libc the kernels and cases use. */
void *memcpy(void *to, const void *from, size_t length)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length)::"memory");
    return start;
}

void *memmove(void *to, const void *from, size_t length)
{
    char *a = to;
    const char *b = from;
    if (a < b)
        for (size_t i = 0; i < length; i++) a[i] = b[i];
    else
        for (size_t i = length; i-- > 0;) a[i] = b[i];
    return to;
}

void *memset(void *to, int value, size_t length)
{
    for (size_t i = 0; i < length; i++) ((volatile char *)to)[i] = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((const unsigned char *)a)[i] != ((const unsigned char *)b)[i]) return 1;
    return 0;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a - *b;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    unsigned low, high;
    (void)clock;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    time->tv_sec = 0;
    time->tv_nsec = (long)((unsigned long)high << 32 | low);
    return 0;
}

_Noreturn void abort(void)
{
    say("abort\n");
    for (;;) __asm__ volatile("hlt");
}

static bool try_kernel(struct dice *dice, const struct algorithm *algorithm, const struct kernel *kernel)
{
    unsigned long cases = 0;
    for (int i = 0; i < CASES; i++, cases += kernel->lanes)
        if (!kernel_agrees(dice, algorithm, kernel)) return false;
    say(algorithm->name), say(" "), say(kernel->family), say(" x"), say_number(kernel->lanes), say(": ");
    say_number(cases), say(" cases\n");
    return true;
}

void bare_main(void)
{
    memset(bss, 0, (size_t)(bss_end - bss));
    out(0x3fb, 3); /* the serial port: eight bits a letter */
    __builtin_cpu_init();
    turns_words = has_sha_ni() && sha1rnds4_turns_words();
    struct dice dice = {SEED * 2 + 1};
    const struct algorithm *algorithms[] = {&sha1, &sha256};
    bool right = reference_is_right();
    for (size_t a = 0; a < 2 && right; a++) {
        for (size_t i = 0; i < algorithms[a]->kernel_count && right; i++)
            if (algorithms[a]->kernels[i].usable())
                right = try_kernel(&dice, algorithms[a], &algorithms[a]->kernels[i]);
        struct choice choice;
        choose(&choice, algorithms[a], NULL);
        for (choice.best = 0; choice.best < choice.count && right; choice.best++)
            for (int i = 0; i < CASES / 10 && right; i++)
                right = messages_agree(&dice, &choice) && (a || streams_agree(&dice, &choice));
    }
    say(right ? "all agree\n" : "WRONG\n");
    wait_for_serial_port(HAS_SENT_ALL);
    for (const char *text = "Shutdown"; *text; text++) out(0x8900, (unsigned char)*text);
}

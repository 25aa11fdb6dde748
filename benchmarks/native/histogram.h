/* Counts of durations in microseconds, exact below 128 and with an error under 0.8 % above. */

#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { EXACT = 128, STEPS = EXACT / 2, DOUBLINGS = 32 - 7, BUCKETS = EXACT + DOUBLINGS * STEPS };

struct histogram {
    uint64_t counts[BUCKETS];
};

static inline void record(struct histogram *histogram, uint32_t value)
{
    if (value < EXACT) {
        histogram->counts[value]++;
        return;
    }
    int shift = 32 - 7 - __builtin_clz(value); /* leaves STEPS to EXACT - 1 */
    histogram->counts[EXACT + (shift - 1) * STEPS + (int)(value >> shift) - STEPS]++;
}

/* The middle of a bucket. */
static inline double bucket_value(int bucket)
{
    if (bucket < EXACT)
        return bucket;
    int shift = (bucket - EXACT) / STEPS + 1, step = (bucket - EXACT) % STEPS + STEPS;
    return (step + 0.5) * (double)(1u << shift);
}

static inline void print_histogram(const char *name, const struct histogram *histogram)
{
    const char *separator = "";
    printf(",\"%s\":[", name);
    for (int i = 0; i < BUCKETS; i++)
        if (histogram->counts[i]) {
            printf("%s[%.1f,%llu]", separator, bucket_value(i),
                   (unsigned long long)histogram->counts[i]);
            separator = ",";
        }
    printf("]");
}

#endif

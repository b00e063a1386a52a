#include "many_domains.h"

#include <stdio.h>

#define KIB_512M 524288
#define GIB      1073741824ULL

struct field {
    unsigned group;
    const char *name;
    uint64_t value; /* of a counter: its weight */
};

/* many_domains.py has the weights too. */
static const struct field counters[] = {
    {VIR_DOMAIN_STATS_CPU_TOTAL, "cpu.time", 10000000},   {VIR_DOMAIN_STATS_CPU_TOTAL, "cpu.user", 1000000},
    {VIR_DOMAIN_STATS_CPU_TOTAL, "cpu.system", 1000000},  {VIR_DOMAIN_STATS_VCPU, "vcpu.0.time", 5000000},
    {VIR_DOMAIN_STATS_VCPU, "vcpu.0.wait", 2000},         {VIR_DOMAIN_STATS_VCPU, "vcpu.0.delay", 3000},
    {VIR_DOMAIN_STATS_VCPU, "vcpu.1.time", 5000000},      {VIR_DOMAIN_STATS_VCPU, "vcpu.1.wait", 1000},
    {VIR_DOMAIN_STATS_VCPU, "vcpu.1.delay", 2000},        {VIR_DOMAIN_STATS_BALLOON, "balloon.swap_in", 4},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.swap_out", 8},    {VIR_DOMAIN_STATS_BALLOON, "balloon.major_fault", 1},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.minor_fault", 2}, {VIR_DOMAIN_STATS_BALLOON, "balloon.last-update", 1},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.rd.reqs", 3},       {VIR_DOMAIN_STATS_BLOCK, "block.0.rd.bytes", 12288},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.rd.times", 30000},  {VIR_DOMAIN_STATS_BLOCK, "block.0.wr.reqs", 5},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.wr.bytes", 20480},  {VIR_DOMAIN_STATS_BLOCK, "block.0.wr.times", 50000},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.fl.reqs", 1},       {VIR_DOMAIN_STATS_BLOCK, "block.0.fl.times", 7000},
    {VIR_DOMAIN_STATS_INTERFACE, "net.0.rx.bytes", 1500}, {VIR_DOMAIN_STATS_INTERFACE, "net.0.rx.pkts", 2},
    {VIR_DOMAIN_STATS_INTERFACE, "net.0.rx.errs", 0},     {VIR_DOMAIN_STATS_INTERFACE, "net.0.rx.drop", 0},
    {VIR_DOMAIN_STATS_INTERFACE, "net.0.tx.bytes", 900},  {VIR_DOMAIN_STATS_INTERFACE, "net.0.tx.pkts", 1},
    {VIR_DOMAIN_STATS_INTERFACE, "net.0.tx.errs", 0},     {VIR_DOMAIN_STATS_INTERFACE, "net.0.tx.drop", 0},
};

static const struct field sizes[] = {
    {VIR_DOMAIN_STATS_BALLOON, "balloon.current", KIB_512M},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.maximum", KIB_512M},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.available", KIB_512M - 20480},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.unused", KIB_512M / 4},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.usable", KIB_512M / 2},
    {VIR_DOMAIN_STATS_BALLOON, "balloon.rss", KIB_512M / 3},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.allocation", 2 * GIB},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.capacity", 10 * GIB},
    {VIR_DOMAIN_STATS_BLOCK, "block.0.physical", 3 * GIB},
};

/* Of these the type matters: they are no 64-bit numbers. */
static const struct field numbers[] = {
    {VIR_DOMAIN_STATS_VCPU, "vcpu.current", 2},   {VIR_DOMAIN_STATS_VCPU, "vcpu.maximum", 2},
    {VIR_DOMAIN_STATS_BLOCK, "block.count", 1},   {VIR_DOMAIN_STATS_BLOCK, "block.0.backingIndex", 1},
    {VIR_DOMAIN_STATS_INTERFACE, "net.count", 1},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static uint64_t ticks(const struct plan_domain *d, uint64_t tick)
{
    return d->step * (tick - d->since);
}

uint64_t record_cpu_ns(const struct plan_domain *d, uint64_t tick)
{
    return counters[0].value * ticks(d, tick);
}

/* A list being filled; a failure stays. */
struct filling {
    virTypedParameterPtr *params;
    int *count, most;
    int failed;
};

static void add_text(struct filling *f, const char *name, const char *text)
{
    f->failed |= virTypedParamsAddString(f->params, f->count, &f->most, name, text);
}

static void add_large(struct filling *f, const struct field *rows, size_t rows_count, unsigned groups, uint64_t factor)
{
    for (size_t i = 0; i < rows_count; i++)
        if (rows[i].group & groups)
            f->failed |= virTypedParamsAddULLong(f->params, f->count, &f->most, rows[i].name, rows[i].value * factor);
}

static void add_texts(struct filling *f, unsigned index, unsigned groups)
{
    char text[64];
    if (groups & VIR_DOMAIN_STATS_BLOCK) {
        add_text(f, "block.0.name", "vda");
        snprintf(text, sizeof text, "/images/vm%05u.img", index);
        add_text(f, "block.0.path", text);
    }
    if (groups & VIR_DOMAIN_STATS_INTERFACE) {
        snprintf(text, sizeof text, "tap%05u", index);
        add_text(f, "net.0.name", text);
    }
}

int record_fill(virTypedParameterPtr *params, int *count, const struct plan_domain *d, unsigned index, unsigned groups,
                uint64_t tick)
{
    struct filling f = {params, count, 0, 0};
    groups &= ~d->omitted;
    if (groups & VIR_DOMAIN_STATS_STATE) {
        f.failed |= virTypedParamsAddInt(params, count, &f.most, "state.state", (int)d->state);
        f.failed |= virTypedParamsAddInt(params, count, &f.most, "state.reason", (int)d->reason);
    }
    for (size_t i = 0; i < ROWS(numbers); i++)
        if (numbers[i].group & groups)
            f.failed |= virTypedParamsAddUInt(params, count, &f.most, numbers[i].name, (unsigned)numbers[i].value);
    add_texts(&f, index, groups);
    add_large(&f, sizes, ROWS(sizes), groups, 1);
    add_large(&f, counters, ROWS(counters), groups, ticks(d, tick));
    return f.failed ? -1 : 0;
}

#include "poller_figures.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

size_t poller_figures(const struct poller_counts *c, const struct inspector_figures *n,
                      const struct incarnation_counts *i, const struct outbox_figures *o,
                      const struct publisher_figures *p, struct poller_number *ret)
{
    const struct poller_number all[] = {
        {"pluvio.poller.cycles", c->cycles},
        {"pluvio.poller.failed_cycles", c->failed_cycles},
        {"pluvio.poller.poll_ns", c->poll_ns},
        {"pluvio.poller.vms", c->vms},
        {"pluvio.poller.hung_vms", c->hung},
        {"pluvio.poller.unasked_vms", c->unasked},
        {"pluvio.poller.unassigned_vms", c->unassigned},
        {"pluvio.poller.calls", c->calls},
        {"pluvio.poller.lost_records", c->lost_records},
        {"pluvio.poller.connects", (int64_t)n->connects},
        {"pluvio.poller.overruns", (int64_t)n->overruns},
        {"pluvio.poller.stuck_calls", n->stuck},
        {"pluvio.poller.dropped_events", (int64_t)n->events_dropped},
        {"pluvio.poller.refused_xml", (int64_t)n->refused},
        {"pluvio.poller.repeated_events", c->repeated_events},
        {"pluvio.poller.ambiguous_plugs", (int64_t)i->ambiguous},
        {"pluvio.poller.refused", (int64_t)i->refused},
        {"pluvio.poller.clock_steps", (int64_t)i->clock_steps},
        {"pluvio.poller.counter_falls", (int64_t)i->falls},
        {"pluvio.poller.doubted_readings", (int64_t)i->doubted},
        {"pluvio.poller.outbox_unreleased", (int64_t)o->unreleased},
        {"pluvio.poller.outbox_released", (int64_t)o->released},
        {"pluvio.poller.outbox_bytes", (int64_t)o->bytes},
        {"pluvio.poller.outbox_waiting", (int64_t)o->waiting},
        {"pluvio.poller.outbox_dropped", (int64_t)(o->dropped_waiting + o->dropped_sent)},
        {"pluvio.poller.outbox_thinned", (int64_t)o->thinned},
        {"pluvio.poller.connected", p->connected},
        {"pluvio.poller.produced", (int64_t)p->produced},
        {"pluvio.poller.failed_deliveries", (int64_t)p->failed},
        {"pluvio.poller.resends", (int64_t)p->resends},
        {"pluvio.poller.hellos", (int64_t)p->hellos},
        {"pluvio.poller.in_flight_bytes", (int64_t)p->in_flight_bytes},
    };
    static_assert(sizeof all / sizeof all[0] == POLLER_FIGURES, "room for each");
    memcpy(ret, all, sizeof all);
    return POLLER_FIGURES;
}

static void print(const struct poller_number *n, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "%s", n->meter);
    for (char *c = name; *c; c++)
        if (*c == '.')
            *c = '_';
    fprintf(out, "# TYPE %s gauge\n%s %lld\n", name, name, (long long)n->value);
}

static void print_hung(const struct hung *hung, FILE *out)
{
    if (hung->count)
        fprintf(out, "# TYPE pluvio_poller_hung_vm gauge\n");
    for (size_t i = 0; i < hung->count; i++)
        fprintf(out, "pluvio_poller_hung_vm{vm=\"%s\"} 1\n", hung->vms[i].uuid);
}

int poller_figures_write(const char *path, const struct poller_word *word, struct error *error)
{
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *out = fopen(temporary, "we");
    if (!out)
        return error_set(error, -errno, "%s: cannot be written: %s", temporary, strerror(errno));
    for (size_t i = 0; i < word->count; i++)
        print(&word->numbers[i], out);
    print_hung(word->hung, out);
    /* node_exporter reads it as another user, whatever this process's umask. */
    bool written = fflush(out) == 0 && !ferror(out) && fchmod(fileno(out), 0644) == 0;
    if (fclose(out) || !written || rename(temporary, path))
        return error_set(error, errno ? -errno : -EIO, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}

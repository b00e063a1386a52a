#include "explain.h"

#include <errno.h>
#include <unistd.h>

#include "pluvio/base/table.h"
#include "pluvio/base/timestamp.h"

#define SMBIOS_UUID "/sys/class/dmi/id/product_uuid"
#define NAMES_SHOWN 5
#define FROZEN_S    120 /* balloon figures that old are not being refreshed */

/* What the checks look at. */
struct view {
    const struct poller_choice *choice;
    int64_t now_s;
};

/* ---- what is missing ---- */

static bool runs(const struct domain_stats *d)
{
    return d->id >= 0 && d->state != DOMAIN_SHUTOFF;
}

static bool is_hung(const struct view *v, const struct domain_stats *d)
{
    (void)v;
    return !d->answers;
}

static bool lacks_meta(const struct view *v, const struct domain_stats *d)
{
    (void)v;
    return !d->meta;
}

static bool is_unassigned(const struct view *v, const struct domain_stats *d)
{
    struct owner owner = {0};
    if (d->meta)
        discovery_owner(&v->choice->poller.discovery, d, &owner);
    return d->meta && strcmp(owner.project, PROJECT_UNASSIGNED) == 0;
}

static bool lacks_balloon(const struct view *v, const struct domain_stats *d)
{
    return v->choice->wanted[METER_MEMORY_USAGE] && runs(d) && d->answers && !d->field[DOMAIN_BALLOON_AVAILABLE].has;
}

static bool has_frozen_balloon(const struct view *v, const struct domain_stats *d)
{
    struct reading update = d->field[DOMAIN_BALLOON_LAST_UPDATE];
    return v->choice->wanted[METER_MEMORY_USAGE] && runs(d) && d->field[DOMAIN_BALLOON_AVAILABLE].has && update.has &&
           v->now_s - (int64_t)update.value > FROZEN_S;
}

static bool lacks_perf(const struct view *v, const struct domain_stats *d)
{
    return v->choice->wanted[METER_PERF_CYCLES] && runs(d) && !d->field[DOMAIN_PERF_CYCLES].has;
}

static bool lacks_process(const struct view *v, const struct domain_stats *d)
{
    (void)v;
    return runs(d) && d->process_start == 0;
}

static bool lacks_ifindex(const struct view *v, const struct domain_stats *d)
{
    (void)v;
    for (size_t i = 0; runs(d) && i < d->net_count; i++)
        if (!d->nets[i].ifindex.has)
            return true;
    return false;
}

static bool has_uncounted(const struct view *v, const struct domain_stats *d)
{
    (void)v;
    for (size_t i = 0; d->meta && i < d->meta->nic_count; i++)
        if (!d->meta->nics[i].countable)
            return true;
    for (size_t i = 0; d->meta && i < d->meta->disk_count; i++)
        if (d->meta->disks[i].uncounted)
            return true;
    return false;
}

static const struct {
    bool (*applies)(const struct view *v, const struct domain_stats *d);
    const char *what, *remedy;
} findings[] = {
    {is_hung, "do not answer their monitor: no disk, vcpu and balloon figures",
     "look at the QEMU process; it is read again by itself once it answers"},
    {lacks_meta, "have XML that could not be read: nothing is metered before it can", "virsh dumpxml NAME"},
    {is_unassigned, "have no project: metered under \"" PROJECT_UNASSIGNED "\"",
     "projects:, project_metadata: or default_project: in the configuration; nova's element is read by itself"},
    {lacks_balloon, "give no memory.available and memory.usage: no balloon driver, or it has not spoken yet",
     "a <memballoon> device, its driver in the guest, and virsh dommemstat NAME --period 10 --live --config"},
    {has_frozen_balloon, "have memory figures that are not refreshed, which are left out",
     "virsh dommemstat NAME --period 10 --live --config"},
    {lacks_perf, "have no perf events",
     "virsh perf NAME --enable cpu_cycles --enable instructions "
     "--enable cache_references --enable cache_misses --live --config"},
    {lacks_process,
     "have a process whose start cannot be seen: after a restart of libvirtd a new run of a VM may be "
     "taken for the old one, or billed from its first reading",
     "only QEMU's and containers' are to be seen; let the poller read /proc (hidepid) in the host's pid namespace"},
    {lacks_ifindex, "have a tap whose index cannot be seen: a re-plug under the same name is known by events alone",
     "run the poller in the host's network namespace"},
    {has_uncounted,
     "have devices that cannot be counted (interfaces passed through to the guest, vhost-user disks); they are listed "
     "as such",
     "a tap, or a disk that QEMU serves, where their use has to be billed"},
};

static void print_findings(const struct snapshot *s, const struct view *v, FILE *out)
{
    bool any = false;
    for (size_t f = 0; f < sizeof findings / sizeof findings[0]; f++) {
        size_t count = 0;
        struct buf names = {0};
        for (size_t i = 0; i < s->count; i++) {
            if (!findings[f].applies(v, &s->domains[i]))
                continue;
            if (count++ < NAMES_SHOWN)
                buf_addf(&names, "%s%s", names.len ? ", " : "", s->domains[i].name ? s->domains[i].name : "?");
        }
        if (count)
            fprintf(out, "- %zu of %zu VMs %s.\n  VMs: %s%s\n  To mend: %s\n", count, s->count, findings[f].what,
                    buf_terminate(&names), count > NAMES_SHOWN ? ", ..." : "", findings[f].remedy);
        any |= count > 0;
        buf_free(&names);
    }
    fputs(any ? "\n" : "Nothing is missing.\n\n", out);
}

/* libvirt's configuration is not for this user to read, so it is told of where it matters. */
static void print_identity(FILE *out)
{
    if (access(SMBIOS_UUID, F_OK) != 0)
        fputs("This machine has no UUID in its firmware: libvirt draws another one at each of its starts, unless "
              "libvirtd.conf (or virtqemud.conf) has host_uuid, or host_uuid_source = \"machine-id\".\n\n",
              out);
}

/* ---- meters ---- */

static const char *const group_calls[] = {"state",     "cpu",  "vcpu", "balloon", "block",
                                          "interface", "perf", "XML",  "host"};

static const char *group_name(unsigned group)
{
    for (size_t i = 0; i < sizeof group_calls / sizeof group_calls[0]; i++)
        if (group == 1u << i)
            return group_calls[i];
    return "";
}

/* Meters told of each kind of resource, by what incarnations would tell: the same code reads both. */
static bool count_given(const struct snapshot *s, const struct poller_choice *choice, size_t *given)
{
    struct random_seeded random;
    struct incarnations set;
    struct sighting sighting = {0};
    random_seed(&random, 1);
    incarnations_init(&set, &random.port, INT64_MAX);
    memcpy(set.wanted, choice->wanted, sizeof set.wanted);
    set.devices = choice->poller.devices;
    bool fits = incarnations_list(&set, s) == LIST_TAKEN;
    for (size_t i = 0; fits && i < s->count; i++) {
        struct owner owner = {0};
        fits = incarnation_see(&set, &s->domains[i], &owner, &sighting) != INCARNATION_NO_MEMORY;
        for (size_t n = 0; fits && n < sighting.current.count; n++)
            given[sighting.current.items[n].meter]++;
    }
    fits = fits && incarnation_see_host(&set, s, &sighting) != INCARNATION_NO_MEMORY;
    for (size_t n = 0; fits && n < sighting.current.count; n++)
        given[sighting.current.items[n].meter]++;
    sighting_finish(&sighting);
    incarnations_finish(&set);
    return fits;
}

static void meter_row(struct table *t, const struct poller_choice *choice, size_t m, size_t given)
{
    const struct meter *meter = meter_at((enum meter_id)m);
    char count[32], every[TIMESTAMP_SIZE];
    int64_t every_ns = choice->every_ns[m] ? choice->every_ns[m] : choice->poller.interval_ns;
    snprintf(count, sizeof count, "%zu", given);
    table_cell(t, text_of(meter->name));
    table_cell(t, text_of(resource_kind_name(meter->kind)));
    table_cell(t, text_of(group_name(meter->group)));
    table_cell(t, text_of(choice->wanted[m] ? duration_format(every_ns / NS_PER_MS, every) : "not chosen"));
    table_cell(t, text_of(choice->wanted[m] ? count : "-"));
}

static int print_meters(const struct snapshot *s, const struct poller_choice *choice, FILE *out)
{
    static const char *const heads[] = {"METER", "OF", "GROUP", "EVERY", "GIVEN BY"};
    size_t given[METERS] = {0};
    struct table t = {0};
    if (!count_given(s, choice, given))
        return -ENOMEM;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        table_column(&t, heads[i], i == 4);
    for (size_t m = 0; m < METERS; m++)
        meter_row(&t, choice, m, given[m]);
    int r = table_print(&t, out);
    table_free(&t);
    return r;
}

int explain(const struct snapshot *s, const struct poller_choice *choice, int64_t now_s, FILE *out)
{
    struct view v = {choice, now_s};
    print_findings(s, &v, out);
    if (!choice->remote)
        print_identity(out);
    return print_meters(s, choice, out);
}

#include "domain_xml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspector_xml.h"
#include "nova_xml.h"

static size_t count_of(const struct xml_node *first, size_t max, unsigned *refused)
{
    size_t count = 0;
    for (const struct xml_node *n = first; n; n = xml_next(n))
        count++;
    if (count > max)
        *refused += (unsigned)(count - max);
    return count > max ? max : count;
}

/* The first of the attributes that is there; what it is called depends on the kind of source. */
static char *first_attribute(const struct xml_node *node, const char *const names[], size_t count)
{
    char *value = NULL;
    for (size_t i = 0; node && i < count && !value; i++)
        value = xml_attribute(node, names[i]);
    return value;
}

static void add_to_chain(struct domain_disk *d, int64_t index, unsigned *refused)
{
    if (index < 0)
        return;
    if (d->chain_count == sizeof(d->chain) / sizeof(d->chain[0]))
        (*refused)++;
    else
        d->chain[d->chain_count++] = index;
}

/* libvirt writes the top's index at <source>, those below at <backingStore>. */
static void read_chain(const struct xml_node *disk, struct domain_disk *d, unsigned *refused)
{
    add_to_chain(d, xml_attribute_number(xml_child(disk, NULL, "source"), "index"), refused);
    const struct xml_node *below = xml_child(disk, NULL, "backingStore");
    for (; below; below = xml_child(below, NULL, "backingStore")) {
        int64_t index = xml_attribute_number(below, "index");
        if (index < 0)
            index = xml_attribute_number(xml_child(below, NULL, "source"), "index");
        add_to_chain(d, index, refused);
    }
}

static void read_disk(const struct xml_node *disk, struct domain_disk *d, unsigned *refused)
{
    static const char *const sources[] = {"file", "dev", "name", "volume", "dir", "path"};
    d->target = xml_attribute(xml_child(disk, NULL, "target"), "dev");
    d->alias = xml_attribute(xml_child(disk, NULL, "alias"), "name");
    d->serial = xml_text(xml_child(disk, NULL, "serial"));
    d->source = first_attribute(xml_child(disk, NULL, "source"), sources, sizeof(sources) / sizeof(sources[0]));
    d->uncounted = xml_is(disk, "type", "vhostuser");
    read_chain(disk, d, refused);
}

static int read_disks(const struct xml_node *devices, struct domain_meta *m, unsigned *refused)
{
    const struct xml_node *disk = xml_child(devices, NULL, "disk");
    size_t count = count_of(disk, DOMAIN_DISKS_MAX, refused);
    m->disks = calloc(count ? count : 1, sizeof(*m->disks));
    if (!m->disks)
        return -ENOMEM;
    for (; m->disk_count < count; disk = xml_next(disk))
        read_disk(disk, &m->disks[m->disk_count++], refused);
    return 0;
}

static char *nic_port(const struct xml_node *nic, const struct xml_node *metadata, const char *target)
{
    const struct xml_node *parameters = xml_child(xml_child(nic, NULL, "virtualport"), NULL, "parameters");
    char *port = xml_attribute(parameters, "interfaceid");
    return port || !target ? port : nova_xml_port(metadata, target);
}

/* Without a tap on the host nobody counts: a passed-through function, vDPA, and QEMU's own user mode network. For
 * vhost-user Open vSwitch does, where its port is known as the target. */
static bool nic_countable(const struct xml_node *nic, const char *target)
{
    if (xml_is(nic, "type", "vhostuser"))
        return target != NULL;
    return !xml_is(nic, "type", "hostdev") && !xml_is(nic, "type", "vdpa") && !xml_is(nic, "type", "user");
}

static void read_nic(const struct xml_node *nic, const struct xml_node *metadata, struct domain_nic *n)
{
    static const char *const sources[] = {"bridge", "network", "dev", "path"};
    n->mac = xml_attribute(xml_child(nic, NULL, "mac"), "address");
    n->target = xml_attribute(xml_child(nic, NULL, "target"), "dev");
    n->source = first_attribute(xml_child(nic, NULL, "source"), sources, sizeof(sources) / sizeof(sources[0]));
    n->port = nic_port(nic, metadata, n->target);
    n->countable = nic_countable(nic, n->target);
}

static int read_nics(const struct xml_node *devices, const struct xml_node *metadata, struct domain_meta *m,
                     unsigned *refused)
{
    const struct xml_node *nic = xml_child(devices, NULL, "interface");
    size_t count = count_of(nic, DOMAIN_NICS_MAX, refused);
    m->nics = calloc(count ? count : 1, sizeof(*m->nics));
    if (!m->nics)
        return -ENOMEM;
    for (; m->nic_count < count; nic = xml_next(nic))
        read_nic(nic, metadata, &m->nics[m->nic_count++]);
    return 0;
}

static unsigned hex_attribute(const struct xml_node *node, const char *name)
{
    char *value = xml_attribute(node, name);
    unsigned long number = value ? strtoul(value, NULL, 0) : 0;
    free(value);
    return number <= 0xffff ? (unsigned)number : 0xffff;
}

static bool pci_is_gpu(const struct xml_node *hostdev, const struct domain_xml_settings *settings)
{
    const struct xml_node *at = xml_child(xml_child(hostdev, NULL, "source"), NULL, "address");
    if (!at || !settings->is_gpu)
        return false;
    char address[64];
    snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", hex_attribute(at, "domain"), hex_attribute(at, "bus"),
             hex_attribute(at, "slot"), hex_attribute(at, "function"));
    return settings->is_gpu(settings->context, address);
}

static void read_hostdevs(const struct xml_node *devices, const struct domain_xml_settings *settings,
                          struct domain_meta *m)
{
    for (const struct xml_node *h = xml_child(devices, NULL, "hostdev"); h; h = xml_next(h)) {
        if (xml_is(h, "type", "mdev"))
            m->vgpu++;
        else if (xml_is(h, "type", "pci") && pci_is_gpu(h, settings))
            m->gpu++;
        else if (xml_is(h, "type", "pci"))
            m->pci++;
    }
}

/* libvirt itself always writes KiB; the units are those of its format's documentation. */
static uint64_t memory_kib(const struct xml_node *memory)
{
    static const struct {
        const char *unit;
        uint64_t kib;
    } units[] = {{"KiB", 1}, {"k", 1}, {"MiB", 1 << 10}, {"M", 1 << 10}, {"GiB", 1 << 20}, {"G", 1 << 20}};
    int64_t size = xml_number(memory);
    if (size < 0)
        return 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (xml_is(memory, "unit", units[i].unit))
            return (uint64_t)size < UINT64_MAX / units[i].kib ? (uint64_t)size * units[i].kib : 0;
    return (uint64_t)size;
}

static void read_sizes(const struct xml_node *domain, struct domain_meta *m)
{
    const struct xml_node *vcpu = xml_child(domain, NULL, "vcpu");
    int64_t vcpus = xml_attribute_number(vcpu, "current");
    if (vcpus < 0)
        vcpus = xml_number(vcpu);
    m->vcpus = vcpus < 0 ? 0 : (uint64_t)vcpus;
    m->max_memory_kib = memory_kib(xml_child(domain, NULL, "memory"));
    const struct xml_node *type = xml_child(xml_child(domain, NULL, "os"), NULL, "type");
    m->os_type = xml_text(type);
    m->architecture = xml_attribute(type, "arch");
}

static int read_domain(const struct xml_node *domain, const struct domain_xml_settings *settings, struct domain_meta *m,
                       unsigned *refused)
{
    const struct xml_node *metadata = xml_child(domain, NULL, "metadata");
    const struct xml_node *devices = xml_child(domain, NULL, "devices");
    m->flavor_vcpus = m->flavor_ram_mib = m->flavor_disk_gib = m->flavor_ephemeral_gib = m->flavor_swap_mib = -1;
    nova_xml_read(metadata, m);
    if (settings->mapping_element)
        m->mapped_project = xml_text(xml_below(metadata, settings->mapping_namespace, settings->mapping_element));
    read_sizes(domain, m);
    read_hostdevs(devices, settings, m);
    int r = read_disks(devices, m, refused);
    return r < 0 ? r : read_nics(devices, metadata, m, refused);
}

static bool is_root(const struct xml *x, const char *name)
{
    return xml_named(xml_root(x), name);
}

int domain_xml_read(struct domain_meta **ret, struct text xml, const struct domain_xml_settings *settings,
                    unsigned *ret_refused, struct error *error)
{
    struct xml *x = NULL;
    int r = xml_parse(&x, xml, error);
    if (r < 0)
        return r;
    struct domain_meta *m = calloc(1, sizeof(*m));
    if (!m)
        r = error_set(error, -ENOMEM, "out of memory");
    else if (!is_root(x, "domain"))
        r = error_set(error, -EINVAL, "XML: not a <domain>");
    else if (read_domain(xml_root(x), settings, m, ret_refused) < 0 || xml_failed(x))
        r = error_set(error, -ENOMEM, "out of memory");
    *ret_refused += xml_refused(x);
    xml_free(x);
    if (r < 0)
        domain_meta_free(m);
    else
        *ret = m;
    return r;
}

static void free_disks(struct domain_meta *m)
{
    for (size_t i = 0; i < m->disk_count; i++) {
        free(m->disks[i].target);
        free(m->disks[i].alias);
        free(m->disks[i].serial);
        free(m->disks[i].source);
    }
    free(m->disks);
}

static void free_nics(struct domain_meta *m)
{
    for (size_t i = 0; i < m->nic_count; i++) {
        free(m->nics[i].mac);
        free(m->nics[i].target);
        free(m->nics[i].source);
        free(m->nics[i].port);
    }
    free(m->nics);
}

void domain_meta_free(struct domain_meta *m)
{
    if (!m)
        return;
    free_disks(m);
    free_nics(m);
    char *texts[] = {m->display_name, m->flavor, m->flavor_id,      m->project, m->project_name, m->user,
                     m->user_name,    m->image,  m->mapped_project, m->os_type, m->architecture};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    free(m);
}

bool capabilities_host_uuid(struct text xml, char out[UUID_SIZE])
{
    struct xml *x = NULL;
    struct error ignored;
    if (xml_parse(&x, xml, &ignored) < 0)
        return false;
    char *uuid = xml_text(xml_child(xml_child(xml_root(x), NULL, "host"), NULL, "uuid"));
    bool good = uuid && strlen(uuid) == UUID_SIZE - 1;
    if (good)
        memcpy(out, uuid, UUID_SIZE);
    free(uuid);
    xml_free(x);
    return good;
}

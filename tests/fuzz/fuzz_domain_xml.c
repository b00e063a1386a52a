/* A domain's XML and a host's capabilities: within the limits, and texts trimmed, never empty. */
#include <ctype.h>

#include "fuzz.h"
#include "pollers/domain_xml.h"
#include "pollers/inspector_xml.h"

static bool is_gpu(void *context, const char *address)
{
    (void)context;
    return strlen(address) % 2;
}

static void check_text(const char *t)
{
    must(!t || (*t && strlen(t) <= XML_TEXT_MAX));
}

static void check_meta(const struct domain_meta *m)
{
    const char *const texts[] = {m->display_name, m->flavor, m->flavor_id,      m->project, m->project_name, m->user,
                                 m->user_name,    m->image,  m->mapped_project, m->os_type, m->architecture};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_text(texts[i]);
    must(m->disk_count <= DOMAIN_DISKS_MAX && m->nic_count <= DOMAIN_NICS_MAX);
    for (size_t i = 0; i < m->disk_count; i++) {
        must(m->disks[i].chain_count <= sizeof m->disks[i].chain / sizeof m->disks[i].chain[0]);
        check_text(m->disks[i].target);
        check_text(m->disks[i].source);
    }
    for (size_t i = 0; i < m->nic_count; i++) {
        check_text(m->nics[i].mac);
        check_text(m->nics[i].port);
    }
    must(m->flavor_vcpus >= -1 && m->flavor_ram_mib >= -1 && m->flavor_disk_gib >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct domain_xml_settings settings = {
        .mapping_namespace = "urn:app", .mapping_element = "tenant", .is_gpu = is_gpu};
    static bool ready;
    struct domain_meta *m = NULL;
    struct error error = {0};
    unsigned refused = 0;
    char uuid[UUID_SIZE];
    if (!ready)
        xml_setup();
    ready = true;
    int r = domain_xml_read(&m, fuzz_text(data, size), &settings, &refused, &error);
    must(r <= 0 && (r == 0) == (m != NULL) && (r == 0 || error.text[0]));
    if (m)
        check_meta(m);
    domain_meta_free(m);
    if (capabilities_host_uuid(fuzz_text(data, size), uuid))
        must(strlen(uuid) == UUID_SIZE - 1);
    return 0;
}

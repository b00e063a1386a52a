#include "nova_xml.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TAP_PREFIX    "tap"
#define TAP_ID_LENGTH 11

static const struct xml_node *nova_instance(const struct xml_node *metadata, const char **ret_space)
{
    static const char *const spaces[] = {
        "http://openstack.org/xmlns/libvirt/nova/1.1",
        "http://openstack.org/xmlns/libvirt/nova/1.0",
    };
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        const struct xml_node *instance = xml_child(metadata, spaces[i], "instance");
        *ret_space = spaces[i];
        if (instance)
            return instance;
    }
    return NULL;
}

static void read_flavor(const struct xml_node *flavor, const char *space, struct domain_meta *meta)
{
    static const struct {
        const char *element;
        size_t offset;
    } sizes[] = {
        {"memory", offsetof(struct domain_meta, flavor_ram_mib)},
        {"disk", offsetof(struct domain_meta, flavor_disk_gib)},
        {"swap", offsetof(struct domain_meta, flavor_swap_mib)},
        {"ephemeral", offsetof(struct domain_meta, flavor_ephemeral_gib)},
        {"vcpus", offsetof(struct domain_meta, flavor_vcpus)},
    };
    meta->flavor = xml_attribute(flavor, "name");
    meta->flavor_id = xml_attribute(flavor, "id");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int64_t size = xml_number(xml_child(flavor, space, sizes[i].element));
        memcpy((char *)meta + sizes[i].offset, &size, sizeof(size));
    }
}

static void read_owner(const struct xml_node *owner, const char *space, struct domain_meta *meta)
{
    const struct xml_node *user = xml_child(owner, space, "user");
    const struct xml_node *project = xml_child(owner, space, "project");
    meta->user = xml_attribute(user, "uuid");
    meta->user_name = xml_text(user);
    meta->project = xml_attribute(project, "uuid");
    meta->project_name = xml_text(project);
}

bool nova_xml_read(const struct xml_node *metadata, struct domain_meta *meta)
{
    const char *space;
    const struct xml_node *instance = nova_instance(metadata, &space);
    if (!instance)
        return false;
    meta->has_nova = true;
    meta->display_name = xml_text(xml_child(instance, space, "name"));
    read_flavor(xml_child(instance, space, "flavor"), space, meta);
    read_owner(xml_child(instance, space, "owner"), space, meta);
    const struct xml_node *root = xml_child(instance, space, "root");
    if (xml_is(root, "type", "image"))
        meta->image = xml_attribute(root, "uuid");
    return true;
}

static bool names_tap(const char *port, const char *target)
{
    size_t prefix = strlen(TAP_PREFIX);
    return port && strncmp(target, TAP_PREFIX, prefix) == 0 && strlen(target + prefix) == TAP_ID_LENGTH &&
           strncmp(port, target + prefix, TAP_ID_LENGTH) == 0;
}

char *nova_xml_port(const struct xml_node *metadata, const char *target)
{
    const char *space = NULL;
    const struct xml_node *instance = nova_instance(metadata, &space);
    const struct xml_node *ports = xml_child(instance, space, "ports");
    for (const struct xml_node *port = xml_child(ports, space, "port"); port; port = xml_next(port)) {
        char *uuid = xml_attribute(port, "uuid");
        if (names_tap(uuid, target))
            return uuid;
        free(uuid);
    }
    return NULL;
}
